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
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from habanero_receiver.config import ReceiverConfig
    from habanero_receiver.entrance import Entrance
    from habanero_receiver.fleet.follower import Follower
    from habanero_receiver.fleet.heart import Heart
    from habanero_receiver.fleet.node import Node
    from habanero_receiver.fleet.safepoint import Safepoint
    from habanero_receiver.fleet.sightings import ThreadErrors
    from habanero_receiver.hold import ASGIApp, Hold
    from habanero_receiver.http.asgi import Endpoints
    from habanero_receiver.tasks.declared import Declaration, P, R, Task
    from habanero_receiver.tasks.supervisor import Supervisor

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
        self._thread_errors: ThreadErrors | None = None
        self._declared: dict[str, Declaration] = {}
        self._supervisor: Supervisor | None = None
        self._up = False

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
        """Add the receiver to a FastAPI or Starlette app, once; gives the app back.

        Off, it adds nothing; supervised loops add one listener for the app's start and end.
        """
        if any(app is mounted for mounted in self._mounted):
            return app
        add_middleware: Any = getattr(app, "add_middleware", None)
        if add_middleware is None and self.on:
            raise TypeError(
                f"{type(app).__name__} has no add_middleware; help: app = receiver.wrap(app) for other ASGI apps"
            )
        if self.on:
            from habanero_receiver.http.asgi import ReceiverMiddleware

            add_middleware(ReceiverMiddleware, receiver=self)
        self._mounted.append(app)
        if self._supervisor is not None:
            self._listen(app)
        return app

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Give an ASGI app with the receiver around it; off, with nothing but a listener for its start and end."""
        if not self.on:
            from habanero_receiver.tasks.lifespan import TasksMiddleware

            return TasksMiddleware(app, self)
        from habanero_receiver.http.asgi import ReceiverMiddleware

        return ReceiverMiddleware(app, self)

    @overload
    def task(self, loop: Callable[P, R], /, *, state: object = None, name: str = "") -> Task[P, R]: ...
    @overload
    def task(self, /, *, state: object = None, name: str = "") -> Callable[[Callable[P, R]], Task[P, R]]: ...
    def task(self, loop: Any = None, /, *, state: object = None, name: str = "") -> Any:
        """Supervise a long-running loop: a decorator, or a call with the function.

            @receiver.task(state=Ticks())
            async def ticker(ticks): ...            # cancelled at its next await

            @receiver.task
            def poll(stop): ...                     # a thread; ends when stop.is_set()

        The function is called with `state`, if there is one, and a plain function with a `threading.Event` after it.
        It begins when the app is up and ends with it. When a swap changes its code it is asked to end, and begins
        again with the same state; when it raises, it begins again after a pause that grows. On or off makes no
        difference but that nothing is swapped when off.

        Gives a handle (`state`, `phase`, `end()`) that can be called like the function. `name` tells loops of one
        function apart; ValueError when another loop has it, TypeError for a generator.
        """
        if loop is None:
            return lambda function: self.task(function, state=state, name=name)
        from habanero_receiver.tasks import declared

        first, supervisor = self._supervisor is None, self._supervised()
        handle = declared.declare(self._declared, supervisor, loop, state, name)
        if first:
            for app in self._mounted:
                self._listen(app)
        if self._up:
            supervisor.begin_new(self._declared[handle.name])
        return handle

    def start(self) -> None:
        """Catch up with the journal and follow it from now on, in a program without ASGI; begin its supervised loops.

        Called inside of an event loop, commits run on that loop from then on, and async loops live there; otherwise
        commits run in a thread of the receiver. HabaneroError when this process cannot run what it is to run;
        RuntimeError for an async loop where no event loop runs.
        """
        if self.on:
            from habanero_receiver.fleet.safepoint import HereSafepoint

            self._start(HereSafepoint(), _safepoint_of_this_loop())
        self._up = True
        if self._supervisor is not None:
            self._supervisor.begin()

    def ready(self) -> None:
        """Say that this process has started and does its work: its release is not held to break starts any more.

        An app that is mounted says so itself when it serves, and a program that stays alive for some seconds counts as
        ready too (HABANERO_READY_AFTER). Off, or without a release, it does nothing.
        """
        self.came_up(well=True)

    @property
    def healthy(self) -> bool:
        """Whether this process serves one release, whole: for a health check.

        False after a change that could not be undone, until a restart; True when off, and before the start.
        """
        return self._node is None or not self._node.dirty

    def stop(self) -> None:
        """End the supervised loops, stop following and say so to the fleet.

        The code stays as it is; `start` goes on from there. On an event loop, its own loops are asked and not waited
        for: they end in its next turns.
        """
        self._up = False
        if self._supervisor is not None:
            self._supervisor.end()
            self._supervisor.wait()
        self._stop_following()

    def _stop_following(self) -> None:
        with self._starting:
            threads, self._threads = self._threads, None
            seeing, self._thread_errors = self._thread_errors, None
        if seeing is not None:
            seeing.end()
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
        """Stop following, as `stop` does, without blocking the loop."""
        import asyncio

        await asyncio.to_thread(self._stop_following)

    def comes_up(self) -> None:
        """The app's own start-up is about to run: from now on it says itself when it serves."""
        if self.on:
            from habanero_receiver import boot

            if (booted := boot.current()) is not None:
                booted.start.serving_later()

    def came_up(self, *, well: bool) -> None:
        """The app serves, or failed to start. Writes to the disk, once."""
        if self.on:
            from habanero_receiver import boot

            if (booted := boot.current()) is not None:
                (booted.start.ready if well else booted.start.failed)()

    async def begin_tasks(self) -> None:
        """Begin the supervised loops of an ASGI app, on the running event loop."""
        self._up = True
        self._supervised().begin()

    async def end_tasks(self) -> None:
        """End them, and wait a bounded time for it without blocking the loop."""
        import asyncio

        self._up = False
        supervisor = self._supervised()
        supervisor.end()
        await asyncio.to_thread(supervisor.wait)

    def saw(self, error: BaseException, where: str) -> None:
        """Take note of an exception that ended a request or a loop: code of a release may be at fault."""
        if self._node is not None:
            self._node.sightings.saw(error, where)

    @property
    def entrance(self) -> Entrance:
        """How much of it shows to the network."""
        if self._config is None:
            raise RuntimeError("a receiver that is off has no entrance")
        return self._config.entrance

    def endpoints(self) -> Endpoints:
        """Build the sub-app with the HTTP endpoints. Imports FastAPI."""
        from habanero_receiver.http import app
        from habanero_receiver.http.context import Context
        from habanero_receiver.http.door import Door

        context = Context(self._joined())
        return Door(context, app.build(context), self.entrance)

    def _supervised(self) -> Supervisor:
        if self._supervisor is None:
            from habanero_receiver.tasks.life import Pace
            from habanero_receiver.tasks.supervisor import Supervisor

            self._supervisor = Supervisor(self._declared, self._in_swap, Pace(), self.saw)
        return self._supervisor

    def _in_swap(self) -> bool:
        return self._node is not None and self._node.swap_lock.locked()

    def _after_swap(self) -> None:
        if self._supervisor is not None:
            self._supervisor.settle()

    def _listen(self, app: object) -> None:
        """Have the loops begin and end with an app whose receiver is off: one that is on does that anyway."""
        add_middleware: Any = getattr(app, "add_middleware", None)
        if not self.on and not self._up and add_middleware is not None:
            from habanero_receiver.tasks.lifespan import TasksMiddleware

            try:
                add_middleware(TasksMiddleware, receiver=self)
            except RuntimeError:  # the app is up already: nothing will tell of its end, but its event loop ends too
                self._up = True
                self._supervised().begin()

    def _start(self, safepoint: Safepoint, from_then: Safepoint | None = None) -> None:
        """Go to the newest release at `safepoint`; later commits run at the other one, if it is given."""
        from habanero_receiver.fleet import join
        from habanero_receiver.fleet.follower import Follower
        from habanero_receiver.fleet.heart import Heart
        from habanero_receiver.fleet.sightings import ThreadErrors

        with self._starting:
            node = self._joined()
            forked = node.identity.pid != os.getpid()
            join.enter(node, safepoint, strict=self._strict)
            node.safepoint = from_then or safepoint
            if not self.entrance.open:
                join.tell_deployed(node)
            if self._threads is None or forked:
                self._threads = Follower(node), Heart(node)
                for thread in self._threads:
                    thread.start()
            if self._thread_errors is None:
                self._thread_errors = ThreadErrors(node.sightings)
                self._thread_errors.begin()

    def _joined(self) -> Node:
        if self._node is None:
            from habanero_receiver import boot
            from habanero_receiver.fleet import join

            if self._config is None:
                raise RuntimeError("a receiver that is off joins nothing")
            self._node = join.join(self._config, boot.boot(self._config))
            self._node.after_swap = self._after_swap
            self._node.stuck_tasks = lambda: self._supervisor.stuck() if self._supervisor is not None else ()
        return self._node

    @property
    def _strict(self) -> bool:
        return self._config is not None and self._config.boot == "require"


def _safepoint_of_this_loop() -> Safepoint | None:
    import asyncio

    from habanero_receiver.fleet.safepoint import LoopSafepoint
    from habanero_receiver.hold import Hold

    try:
        return LoopSafepoint(asyncio.get_running_loop(), Hold())
    except RuntimeError:
        return None


def _config_of(environ: Mapping[str, str]) -> ReceiverConfig | None:
    """Read the settings; without any mention of trusted keys not even the reader of settings is imported."""
    if not any(environ.get(name) for name in ("HABANERO_TRUSTED_KEYS", "HABANERO_TRUSTED_KEYS_FILE")):
        return None
    from pathlib import Path

    from habanero_receiver.config import ReceiverConfig

    return ReceiverConfig.from_env(environ, Path.cwd())
