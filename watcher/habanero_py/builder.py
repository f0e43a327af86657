"""Builds modules in an interpreter of the server's version, kept warm between saves.

It starts `habanero_receiver.swap.building` as a script in the Python that it is given, asks over pipes, and starts it
again when it died. It does not choose the Python (`interpreter`) nor read files. The rule it upholds: what is signed
was compiled by an interpreter that said, at its start, that it makes the server's bytecode; and a builder that hangs
or dies ends in an error with a time limit, never in a release without some of its modules.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

from habanero_receiver.release.statement import PythonTag
from habanero_receiver.swap.building import __main__ as server_script
from habanero_receiver.swap.building.units import EncodedBuild

from .errors import SyntaxFoundError, ToolError
from .syntax import SyntaxProblem, from_build

BUILD_TIMEOUT_S = 60.0
_CLOSE_TIMEOUT_S = 2.0
_LINE_BYTES = 64 * 1024 * 1024


class Buildable(Protocol):
    """One module to build."""

    @property
    def name(self) -> str:
        """Its dotted name."""

    @property
    def path(self) -> str:
        """Its path below the source root, which its code objects carry."""

    @property
    def package(self) -> bool:
        """Whether it is a package's __init__."""

    @property
    def source(self) -> bytes:
        """Its text."""


class Builder:
    """One warm build process. Safe to call from several threads, which take turns."""

    def __init__(self, python: Path, tag: PythonTag, *, timeout_s: float = BUILD_TIMEOUT_S) -> None:
        """`tag` is the server's; `timeout_s` is for one build of any number of modules. Starts nothing yet."""
        self._python, self._tag, self._timeout_s = python, tag, timeout_s
        self._process_lock = threading.Lock()  # guards the process and whose turn it is on its pipes
        self._process: _Process | None = None

    def __enter__(self) -> Builder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The build process's id, None while there is none."""
        process = self._process
        return process.pid if process else None

    def start(self) -> None:
        """Warms up, so that the first save does not wait for an interpreter. Raises ToolError."""
        with self._process_lock:
            self._running()

    def build(self, modules: Sequence[Buildable]) -> dict[str, EncodedBuild]:
        """The builds by module name, for the server's optimize level.

        Raises SyntaxFoundError, with all problems of all modules, when any does not compile; ToolError when the
        process cannot be started, dies twice at this or takes longer than the limit.
        """
        if not modules:
            return {}
        with self._process_lock:
            try:
                answer = self._ask(modules)
            except _DiedError:
                # It may have died long ago (memory pressure, a suspended laptop): not this build's fault yet.
                self._drop()
                answer = self._ask_last(modules)
        return _sort_out(modules, answer)

    def close(self) -> None:
        """Ends the process. The builder can be used again, it starts another."""
        with self._process_lock:
            self._drop()

    def _ask_last(self, modules: Sequence[Buildable]) -> list[EncodedBuild | Mapping[str, object]]:
        try:
            return self._ask(modules)
        except _DiedError as error:
            self._drop()
            raise ToolError(
                "builder-failed",
                f"the Python that builds for the server ended while it built {_some(modules)}: {error}; "
                "nothing was sent",
                subject=str(self._python),
                help=f"try it: {self._python} -I -S -m compileall",
            ) from None

    def _ask(self, modules: Sequence[Buildable]) -> list[EncodedBuild | Mapping[str, object]]:
        """Caller holds the lock."""
        process = self._running()
        try:
            with process.limit(self._timeout_s):
                return process.ask(modules, self._tag.optimize)
        except _HungError:
            self._drop()
            raise ToolError(
                "builder-failed",
                f"building {_some(modules)} took longer than {self._timeout_s:g} s and was ended; nothing was sent",
                subject=str(self._python),
                help="push fewer modules at once",
            ) from None

    def _running(self) -> _Process:
        """Caller holds the lock."""
        if self._process is None or not self._process.alive:
            self._drop()
            self._process = _Process(self._python, self._tag, self._timeout_s)
        return self._process

    def _drop(self) -> None:
        """Caller holds the lock."""
        process, self._process = self._process, None
        if process is not None:
            process.close()


class _DiedError(Exception):
    """The process ended or spoke nonsense. The text is what it left on standard error."""


class _HungError(Exception):
    """The process was ended by us, since its time was over."""


@dataclass(slots=True)
class _Watchdog:
    bit: bool = False


class _Process:
    """The pipes to one build process. Used by one thread at a time."""

    def __init__(self, python: Path, tag: PythonTag, timeout_s: float) -> None:
        # A file, since a full pipe that nobody reads would stop the process.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        try:
            self._popen = subprocess.Popen(
                [python, "-I", "-S", "-W", "ignore", server_script.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle
            )
        except OSError as error:
            self._errors.close()
            raise _cannot_start(python, f"cannot be run: {error.strerror or error}") from error
        assert self._popen.stdin is not None  # for the type checker: stdin=PIPE above
        assert self._popen.stdout is not None  # likewise
        self._stdin: IO[bytes] = self._popen.stdin
        self._stdout: IO[bytes] = self._popen.stdout
        try:
            with self.limit(timeout_s):
                self._greet(python, tag)
        except (_DiedError, _HungError) as error:
            self.close()
            raise _cannot_start(python, f"did not start: {error}") from None
        except ToolError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Ends the process when the block takes longer, which ends every wait on its pipes."""
        watchdog = _Watchdog()

        def bite() -> None:
            watchdog.bit = True
            self._kill()

        timer = threading.Timer(seconds, bite)
        timer.daemon = True
        timer.start()
        try:
            yield
        except _DiedError:
            if watchdog.bit:
                raise _HungError(f"no answer in {seconds:g} s") from None
            raise
        finally:
            timer.cancel()

    def ask(self, modules: Sequence[Buildable], optimize: int) -> list[EncodedBuild | Mapping[str, object]]:
        """For each module its build, or its error as the process told it."""
        heads = [{"name": m.name, "path": m.path, "package": m.package, "size": len(m.source)} for m in modules]
        try:
            self._stdin.write(json.dumps({"optimize": optimize, "modules": heads}).encode() + b"\n")
            for module in modules:
                self._stdin.write(module.source)
            self._stdin.flush()
        except (OSError, ValueError):
            raise self._died() from None
        answers = self._line().get("modules")
        if not isinstance(answers, list) or len(answers) != len(modules):
            raise self._died()
        return [self._one(answer) for answer in answers]

    def _one(self, answer: object) -> EncodedBuild | Mapping[str, object]:
        if not isinstance(answer, dict):
            raise self._died()
        if isinstance(error := answer.get("error"), dict):
            return error
        return EncodedBuild(self._read(answer.get("code")), self._read(answer.get("units")))

    def _read(self, size: object) -> bytes:
        if not isinstance(size, int) or size < 0:
            raise self._died()
        data = self._stdout.read(size)
        if len(data) != size:
            raise self._died()
        return data

    def _greet(self, python: Path, tag: PythonTag) -> None:
        hello = self._line()
        said = tuple(hello.get(key) for key in ("implementation", "cache_tag", "magic"))
        if said != (tag.implementation, tag.cache_tag, tag.magic):
            raise _cannot_start(python, f"builds for {said[1]} (magic {said[2]}), the server runs {tag.cache_tag}")

    def _line(self) -> dict[str, object]:
        try:
            line = self._stdout.readline(_LINE_BYTES)
            value = json.loads(line)
        except (OSError, ValueError):
            raise self._died() from None
        if not isinstance(value, dict):
            raise self._died()
        return value

    def _died(self) -> _DiedError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(_CLOSE_TIMEOUT_S)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return _DiedError(said[-1] if said else f"it said nothing (exit status {self._popen.poll()})")

    def _kill(self) -> None:
        """Ends it with the child that it forked for the build: that one holds the pipes too."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def close(self) -> None:
        """The end of its input ends it; if not, a signal does. Never raises."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._popen.wait(_CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._kill()
            self._popen.wait()
        self._stdout.close()
        self._errors.close()


def _sort_out(
    modules: Sequence[Buildable], answers: Sequence[EncodedBuild | Mapping[str, object]]
) -> dict[str, EncodedBuild]:
    builds: dict[str, EncodedBuild] = {}
    problems: list[SyntaxProblem] = []
    for module, answer in zip(modules, answers, strict=True):
        if isinstance(answer, EncodedBuild):
            builds[module.name] = answer
        else:
            problems.append(from_build(module.path, answer))
    if problems:
        raise SyntaxFoundError(problems)
    return builds


def _some(modules: Sequence[Buildable]) -> str:
    return modules[0].name if len(modules) == 1 else f"{modules[0].name} and {len(modules) - 1} more"


def _cannot_start(python: Path, why: str) -> ToolError:
    return ToolError(
        "builder-failed",
        f"{python} {why}; nothing was built or sent",
        subject=str(python),
        help="habanero-py doctor looks for a Python that fits",
    )
