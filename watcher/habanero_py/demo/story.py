"""The steps of the demo, in order, each checked."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import ClientConnection

from habanero_py.signing import generate

from .stage import DEADLINE_S, DemoError, Stage, set_key

_OLD_LOOK = 'return f"{name}{SEPARATOR}{text}"'
_NEW_LOOK = 'return f"[{number}] {name} says {text!r}"'
_BROKEN_LOOK = 'return f"[{number}] {name} says nothing"'


def main() -> int:
    """Plays the demo. Returns 0 if every step was as told, 1 at the first that was not."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="habanero-demo-") as folder:
        try:
            with Stage(Path(folder)) as stage:
                _play(stage)
        except DemoError as error:
            _say(f"\n✖ {error}\n")
            return 1
    _say(f'\nAll of it took {time.monotonic() - started:.1f} s. Your own app next: README.md, "In your app".\n')
    return 0


def _play(stage: Stage) -> None:
    _say("\nhabanero-py demo: examples/chat, a FastAPI app with WebSockets, history in memory, a background ticker\n")
    with _step("habanero-py init: a key, a target, the lines for the server"):
        _set_up(stage)
    with _step("habanero-py run -- uvicorn chat.main:app") as note:
        note.append(f"pid {stage.start_server()}, {stage.url}")
    with stage.join("ana") as ana:
        with _step("ana opens a WebSocket and says hello") as note:
            note.append(_talk(ana, "hello", "ana: hello"))
        _say("")
        _change(stage, ana)
        _break(stage, ana)
        _forge(stage, ana)
    _crash(stage)
    with stage.join("ana") as ana:
        _roll_back(stage, ana)


def _set_up(stage: Stage) -> None:
    code, events, text = stage.command("init", "production", "--url", f"{stage.url}/_habanero")
    if code:
        raise DemoError(f"init ended with {code}:\n{text}")
    stage.server_lines = dict(next(e for e in events if e["event"] == "init")["server"])


def _change(stage: Stage, ana: ClientConnection) -> None:
    before = stage.health()
    with _step("habanero-py watch"):
        stage.start_watcher()
    with _step("ana's colleague saves chat/render.py: a new look for messages") as note:
        saved = stage.save("chat/render.py", _OLD_LOOK, _NEW_LOOK)
        gate = stage.wait_for("gate")
        _expect(bool(gate["ok"]), f"the gate passes, but it said: {gate}")
        live = stage.wait_for("live")
        note.append(f"gate {gate['summary']} in {gate['seconds']:.2f} s")
        note.append(
            f"live as #{live['push']} {(time.monotonic() - saved) * 1000 - gate['seconds'] * 1000:.0f} ms besides"
        )
    with _step("the same connection has the new look") as note:
        note.append(_talk(ana, "and now?", "[2] ana says 'and now?'"))
    with _step("nothing was restarted") as note:
        after = stage.health()
        _expect(after["pid"] == before["pid"], "the process is the same")
        _expect(after["messages"] == 2, f"the history has both messages, not {after['messages']}")
        _expect(after["ticks"] >= before["ticks"] > 0, "the ticker went on")
        note.append(f"pid {after['pid']}, {after['messages']} messages, ticker at {after['ticks']}")
    _say("")


def _break(stage: Stage, ana: ClientConnection) -> None:
    with _step("a broken edit is saved: the gate stops it") as note:
        stage.save("chat/render.py", _NEW_LOOK, _BROKEN_LOOK)
        gate = stage.wait_for("gate")
        _expect(not gate["ok"], "the gate fails")
        note.append(f"gate {gate['summary']}, production unchanged: still #{gate['running']}")
    with _step("ana does not notice") as note:
        note.append(_talk(ana, "still fine", "[3] ana says 'still fine'"))
    with _step("the edit is taken back"):
        stage.save("chat/render.py", _BROKEN_LOOK, _NEW_LOOK)
        stage.wait_for("unchanged")
    _say("")


def _forge(stage: Stage, ana: ClientConnection) -> None:
    with _step("a stranger who has it all but the key pushes an edit: refused") as note:
        stranger = stage.project.with_name("stranger")
        shutil.copytree(stage.project, stranger)
        key = stage.config / "stranger.key"
        generate(key, "ana@laptop", None)
        set_key(stranger, key)
        look = stranger / "chat" / "render.py"
        look.write_text(look.read_text().replace(_NEW_LOOK, 'return f"pwned {name} {text}"'))
        code, events, _ = stage.command("push", "--once", "--yes", folder=stranger)
        refused = [e for e in events if e["event"] == "refused"]
        _expect(code == 7 and bool(refused), f"exit 7 and an error, not {code} {events}")
        note.append(f"error[{refused[-1]['code']}], exit {code}")
    with _step("nothing changed") as note:
        note.append(_talk(ana, "who was that?", "[4] ana says 'who was that?'"))
    _say("")


def _crash(stage: Stage) -> None:
    with _step("kill -9, and a new start of the same image") as note:
        stage.kill_server()
        note.append(f"pid {stage.start_server()}")
    with _step("the change is there before the first request") as note, stage.join("ana") as ana:
        note.append(_talk(ana, "back", "[1] ana says 'back'"))
    _say("")


def _roll_back(stage: Stage, ana: ClientConnection) -> None:
    with _step("habanero-py rollback") as note:
        code, events, text = stage.command("rollback", "--yes")
        _expect(code == 0, f"exit 0, not {code}:\n{text}")
        live = next(e for e in events if e["event"] == "live")
        note.append(f"live as #{live['push']}, same code as #{live['same_code_as']}")
    with _step("the old look, on the same connection") as note:
        note.append(_talk(ana, "as before", "ana: as before"))


def _talk(ana: ClientConnection, text: str, expected: str) -> str:
    ana.send(text)
    heard = str(ana.recv(timeout=DEADLINE_S))
    _expect(heard == expected, f"ana hears {expected!r}, not {heard!r}")
    return repr(heard)


def _expect(true: bool, what: str) -> None:
    if not true:
        raise DemoError(f"it is not so that {what}")


@contextmanager
def _step(title: str) -> Iterator[list[str]]:
    """Times one step and tells how it went; the block adds what is worth knowing."""
    note: list[str] = []
    started = time.monotonic()
    yield note
    _say(f"  ✔ {title}  ({time.monotonic() - started:.2f} s)")
    for line in note:
        _say(f"      {line}")


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()
