"""One run of the command: settings, key, connection and builder put together, and taken apart again.

Thin wiring without decisions of its own. The rule it upholds: whatever a command started (a build process, a gate, a
connection) ends with it, however it ends.
"""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from habanero_py import events as e
from habanero_py import pending
from habanero_py.builder import Buildable, Builder
from habanero_py.client import Server as HttpServer
from habanero_py.client import Transport
from habanero_py.config import Config, is_bucket
from habanero_py.foreign import Foreign
from habanero_py.gate import GateLimits, GateResult, GateRun
from habanero_py.git import Repository
from habanero_py.interpreter import find_python
from habanero_py.pipeline import Pusher, Tools
from habanero_py.project import Project
from habanero_py.server import Server
from habanero_py.signing import AskPassphrase, Signer, open_signer, whoami
from habanero_py.snapshot import Snapshot, Sources
from habanero_receiver.errors import ConfigError, HabaneroError
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.release.keys import TrustedKey, parse_allowed_signers
from habanero_receiver.release.statement import PythonTag
from habanero_receiver.swap.building.units import EncodedBuild

Approve = Callable[[Sequence[Foreign]], bool]


class Builds:
    """A warm builder for whichever Python the server says that it runs."""

    def __init__(self, find: Callable[[PythonTag], Path] = find_python) -> None:
        self._find = find
        self._tag: PythonTag | None = None
        self._builder: Builder | None = None

    def __call__(self, modules: Sequence[Buildable], tag: PythonTag) -> Mapping[str, EncodedBuild]:
        """Builds by module name."""
        return self.warm(tag).build(modules) if modules else {}

    def warm(self, tag: PythonTag) -> Builder:
        """The builder for `tag`, started."""
        if self._builder is None or self._tag != tag:
            self.close()
            self._builder, self._tag = Builder(self._find(tag), tag), tag
            self._builder.start()
        return self._builder

    def close(self) -> None:
        """Ends the build process."""
        builder, self._builder = self._builder, None
        if builder is not None:
            builder.close()


class Gating:
    """Runs the gate, one at a time, and ends the running one on demand."""

    def __init__(self, config: Config) -> None:
        self._command = config.gate
        self._root = config.root
        self._limits = GateLimits(timeout_s=config.gate_timeout_s)
        self._running_lock = threading.Lock()  # guards the two below
        self._running: GateRun | None = None
        self._cancelled = False

    def __call__(self) -> GateResult:
        """Runs it to its end."""
        with self._running_lock:
            running = self._running = GateRun(self._command, self._root, self._limits)
            if self._cancelled:
                running.cancel()
        try:
            return running.wait()
        finally:
            with self._running_lock:
                self._running = None

    def cancel(self) -> None:
        """Ends the running gate with all its processes; one that starts later ends at once."""
        with self._running_lock:
            self._cancelled = True
            if self._running is not None:
                self._running.cancel()


class Session:
    """What every command that talks to a server has."""

    def __init__(
        self,
        config: Config,
        emit: Callable[[e.Event], None],
        *,
        ask_passphrase: AskPassphrase | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.config = config
        self.emit = emit
        self.approve: Approve = _nobody
        self.go_on: Callable[[e.Redeployed], bool] = _nobody
        self.signer: Signer = open_signer(config.to.key, os.environ, ask_passphrase)
        self.author = self.signer.public.comment or whoami()
        self._transport = transport
        self.server: Server = self.another_server()
        self.sources = Sources(Project.find(config.root, config.watch))
        self.gating = Gating(config) if config.gate else None
        self.builds = Builds()
        self.repository = repository = Repository(config.root, tuple(self.sources.project.places()))
        self.tools = Tools(
            server=self.server,
            signer=self.signer,
            sources=self.sources,
            build=self.builds,
            emit=emit,
            author=self.author,
            gate=self.gating,
            gate_command=shlex.join(config.gate),
            git=lambda snapshot: repository.describe(_files(snapshot)),
            contains=lambda module, sha256: self._contains(repository, module, sha256),
            approve=lambda found: self.approve(found),
            go_on=lambda moved: self.go_on(moved),
            pend=lambda release: pending.write(config.root, release.digest, release.content, datetime.now(UTC)),
            withdraw=config.withdraw,
        )
        self.pusher = Pusher(self.tools, config.to.target)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends what was started."""
        if self.gating is not None:
            self.gating.cancel()
        self.builds.close()
        self.server.close()

    def another_server(self) -> Server:
        """The same server over a connection of its own, for another thread; who asks for it closes it."""
        to = self.config.to
        if not is_bucket(to.url):
            return HttpServer(to.url, to.target, self.signer, transport=self._transport)
        from habanero_py.through_bucket import BucketServer  # only who has such a target pays for a store's client

        return BucketServer(to.url, to.target, self.trusted_keys(), open_bucket(to.url))

    def trusted_keys(self) -> tuple[TrustedKey, ...]:
        """Whose releases are believed here: the target's list of keys, else one's own key alone."""
        file = self.config.to.trusted_keys_file
        if file is None:
            return (TrustedKey(self.author, self.signer.public),)
        try:
            return parse_allowed_signers(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                "trust-file",
                f"the trusted keys in {file} cannot be read: {error}",
                subject=str(file),
                help="trusted_keys_file in pyproject.toml names a file of allowed_signers lines, as the server has",
            ) from error

    def ready(self) -> e.Ready:
        """Asks the server what it runs and warms the builder up; what a person sees first."""
        view, state = self.pusher.refresh()
        with suppress(HabaneroError):  # a missing Python is told when something is to be built
            self.builds.warm(view.python)
        project = self.sources.project
        app, _, environment = state.target.partition("#")[0].partition("/")
        return e.Ready(
            app=app,
            environment=environment,
            machines=len(state.machines),
            workers=state.workers,
            running=view.running,
            in_step=state.in_step,
            watching=project.places(),
            files=len(self.sources.scan().modules),
            gate=self.config.gate,
            gate_timeout_s=self.config.gate_timeout_s,
            author=self.author,
            key=self.signer.public.keyid,
            withdrawn=None if view.withdrawn is None else view.head.seq,
        )

    def _contains(self, repository: Repository, module: str, sha256: str) -> bool:
        path = module.replace(".", "/")
        shown = self.sources.project.shown
        return any(repository.contains(shown(file), sha256) for file in (f"{path}.py", f"{path}/__init__.py"))


def _nobody(_: object) -> bool:
    """There is nobody to ask: what would need consent is refused with help."""
    return False


def _files(snapshot: Snapshot) -> dict[str, tuple[str, bytes]]:
    return {module.shown: (module.sha256, module.source) for module in snapshot.modules.values()}
