"""`Receiver`: the one thing that a program embeds.

    from habanero_receiver import Receiver

    receiver = Receiver.from_env()
    receiver.mount(app)

What it does: puts boot, fleet and http together for one process. What it does not: it holds no logic of theirs, and
imports them only when a receiver that is on starts.

The rule it upholds: without trusted keys there is nothing: no middleware, no thread, no import beyond this one.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from habanero_receiver.config import ReceiverConfig
    from habanero_receiver.fleet.follower import Follower
    from habanero_receiver.fleet.heart import Heart
    from habanero_receiver.fleet.node import Node
    from habanero_receiver.fleet.safepoint import Safepoint
    from habanero_receiver.hold import ASGIApp, Hold

App = TypeVar("App")

_log = logging.getLogger("habanero")


class Receiver:
    """Receives releases for this process. Make one with `from_env`; `mount` it on an ASGI app, or `start` it."""

    _of_this_process: Receiver | None = None

    def __init__(self, config: ReceiverConfig | None) -> None:
        self._config = config
        self._mounted: list[object] = []
        self._starting = threading.Lock()
        self._node: Node | None = None
        self._threads: tuple[Follower, Heart] | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Receiver:
        """Give this process's receiver, configured by HABANERO_* variables: the same one at each call.

        Off when the environment has no trusted keys, which is logged once. ConfigError for settings that cannot be
        used: a program that was meant to be protected by them does not start.
        """
        if cls._of_this_process is None:
            cls._of_this_process = cls(_config_of(os.environ if environ is None else environ))
            if not cls._of_this_process.on:
                _log.warning("the receiver is off: no trusted keys in the environment (HABANERO_TRUSTED_KEYS)")
        return cls._of_this_process

    @property
    def on(self) -> bool:
        """Whether there are trusted keys."""
        return self._config is not None

    def mount(self, app: App) -> App:
        """Add the receiver to a FastAPI or Starlette app, once; gives the app back. Nothing is added when it is off."""
        if not self.on or any(app is mounted for mounted in self._mounted):
            return app
        add_middleware: Any = getattr(app, "add_middleware", None)
        if add_middleware is None:
            raise TypeError(
                f"{type(app).__name__} has no add_middleware; help: app = receiver.wrap(app) for other ASGI apps"
            )
        from habanero_receiver.http.asgi import ReceiverMiddleware

        add_middleware(ReceiverMiddleware, receiver=self)
        self._mounted.append(app)
        return app

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Give an ASGI app with the receiver around it; the very app when the receiver is off."""
        if not self.on:
            return app
        from habanero_receiver.http.asgi import ReceiverMiddleware

        return ReceiverMiddleware(app, self)

    def start(self) -> None:
        """Catch up with the journal and follow it from now on, in a program without ASGI. Once is enough.

        Commits run in a thread of the receiver. HabaneroError when this process cannot run what it is to run.
        """
        if self.on:
            from habanero_receiver.fleet.safepoint import HereSafepoint

            self._start(HereSafepoint())

    def stop(self) -> None:
        """Stop following and say so to the fleet. The code stays as it is; `start` goes on from there."""
        with self._starting:
            threads, self._threads = self._threads, None
        if threads is not None:
            for thread in threads:
                thread.stop()

    async def enter_loop(self, hold: Hold) -> None:
        """Start in an ASGI app: commits run on the running event loop, under `hold`."""
        import asyncio

        from habanero_receiver.fleet.safepoint import LoopSafepoint

        safepoint = LoopSafepoint(asyncio.get_running_loop(), hold)
        await asyncio.to_thread(self._start, safepoint)

    async def leave_loop(self) -> None:
        """Stop, as `stop` does, without blocking the loop."""
        import asyncio

        await asyncio.to_thread(self.stop)

    def endpoints(self) -> ASGIApp:
        """Build the sub-app with the HTTP endpoints. Imports FastAPI."""
        from habanero_receiver.http import app
        from habanero_receiver.http.context import Context

        return app.build(Context(self._joined()))

    def _start(self, safepoint: Safepoint) -> None:
        from habanero_receiver.fleet import join
        from habanero_receiver.fleet.follower import Follower
        from habanero_receiver.fleet.heart import Heart

        with self._starting:
            node = self._joined()
            forked = node.identity.pid != os.getpid()
            join.enter(node, safepoint, strict=self._strict)
            if self._threads is None or forked:
                self._threads = Follower(node), Heart(node)
                for thread in self._threads:
                    thread.start()

    def _joined(self) -> Node:
        if self._node is None:
            from habanero_receiver import boot
            from habanero_receiver.fleet import join

            if self._config is None:
                raise RuntimeError("a receiver that is off joins nothing")
            self._node = join.join(self._config, boot.boot(self._config))
        return self._node

    @property
    def _strict(self) -> bool:
        return self._config is not None and self._config.boot == "require"


def _config_of(environ: Mapping[str, str]) -> ReceiverConfig | None:
    """Read the settings; without any mention of trusted keys not even the reader of settings is imported."""
    if not any(environ.get(name) for name in ("HABANERO_TRUSTED_KEYS", "HABANERO_TRUSTED_KEYS_FILE")):
        return None
    from pathlib import Path

    from habanero_receiver.config import ReceiverConfig

    return ReceiverConfig.from_env(environ, Path.cwd())
