"""`watch`: a push for each settled change, keys at a terminal, until somebody ends it.

One consumer takes changes and keys in turn, so that a push is never joined by another; the push itself runs in a
thread, so that keys and signals are heard meanwhile. The rule it upholds: no failure of one change ends the watch, and
each says what runs now.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from habanero_py import events as e
from habanero_py.commands.reads import status
from habanero_py.commands.writes import Consent, confirmed
from habanero_py.foreign import question
from habanero_py.keys import Keyboard
from habanero_py.listening import Listener
from habanero_py.rollback import plan, roll_back
from habanero_py.session import Session
from habanero_py.settle import Settled, Settler
from habanero_py.snapshot import Snapshot
from habanero_py.watching import FileWatch

Guarded = Callable[[Callable[[], int]], int]
"""Runs one action and turns what it raises into an event; the action's exit code."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was pressed."""

    key: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What came out of production."""

    events: Sequence[e.Event]


Item = Settled | Key | Heard | None
"""What can wait: a change, a key, news from production, or None for the end."""


def collapse(items: Sequence[Item]) -> list[Item]:
    """The same without changes that a later one holds too; that one takes over their paths and the first one's time."""
    changes = [item for item in items if isinstance(item, Settled)]
    if not changes:
        return list(items)
    merged = replace(
        changes[-1],
        paths=tuple(sorted({path for change in changes for path in change.paths})),
        others=tuple(sorted({path for change in changes for path in change.others})),
        saved_at=changes[0].saved_at,
    )
    return [merged, *(item for item in items if not isinstance(item, Settled))]


def everything(moved: e.Redeployed) -> str:
    """What a person is asked before all that differs from a new deployment is pushed."""
    what = "module that differs" if len(moved.more) == 1 else "modules that differ"
    beside = " beside what you saved" if moved.saved else ""
    return f"Push the {len(moved.more)} {what} from the new deployment{beside} too?"


def run(session: Session, consent: Consent, guarded: Guarded, *, push_first: bool, keys: bool) -> int:
    """Watches until it is told to stop; 0."""
    return asyncio.run(Watch(session, consent, guarded, keys=keys).run(push_first=push_first))


class Watch:
    """The loop and what it remembers."""

    def __init__(self, session: Session, consent: Consent, guarded: Guarded, *, keys: bool) -> None:
        self._session = session
        self._yes = consent.yes
        self._guarded = guarded
        self._keys = keys
        self._inbox: asyncio.Queue[Item] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="push")
        self._keyboard: Keyboard | None = None
        self._paused = False
        self._allowed = False
        self._done: Snapshot | None = None
        if not consent.yes:
            session.approve = lambda found: self._ask(question(found))
            session.go_on = lambda moved: self._ask(everything(moved))

    async def run(self, *, push_first: bool) -> int:
        """Watches; `push_first` sends what differs before the first change."""
        self._loop = asyncio.get_running_loop()
        ready = self._session.ready()
        with contextlib.ExitStack() as stack:
            stack.callback(self._thread.shutdown)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._loop.add_signal_handler(number, self._stop)
                stack.callback(self._loop.remove_signal_handler, number)
            settler = Settler(self._session.sources, FileWatch())
            stack.callback(settler.close)
            snapshot = settler.start()
            listener = Listener(self._session.another_server(), self._heard)
            stack.callback(listener.close)
            listener.start()
            self._session.emit(ready)  # after the watch began: who saves at this word is heard
            if self._keys:
                self._keyboard = stack.enter_context(Keyboard(sys.stdin.fileno(), self._pressed))
            if push_first:
                await self._act(partial(self._push, snapshot, None))
            else:
                self._done = snapshot
            await self._consume(settler)
        return 0

    async def _consume(self, settler: Settler) -> None:
        pump = asyncio.create_task(self._pump(settler))
        try:
            while await self._take(await self._waiting()):
                pass
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, settler: Settler) -> None:
        """Puts settled changes into the inbox; an error of one is shown and the watch goes on."""
        while True:
            try:
                item = await anext(settler)
            except Exception as error:  # told as every other failure, by `guarded`
                await self._act(partial(_raise, error))
            else:
                self._inbox.put_nowait(item)

    def _stop(self) -> None:
        if self._session.gating is not None:
            self._session.gating.cancel()
        if self._keyboard is not None:
            self._keyboard.cancel()
        self._inbox.put_nowait(None)

    def _heard(self, events: Sequence[e.Event]) -> None:
        """Put news into the inbox, from the listener's thread."""
        with contextlib.suppress(RuntimeError):  # the loop closed while the thread was ending
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, Heard(events))

    def _tell(self, events: Sequence[e.Event]) -> int:
        for event in events:
            if isinstance(event, e.Withdrawn):
                self._session.pusher.heard(e.Withdrawal(event.push, event.runs, event.reason, event.machine, event.at))
            self._session.emit(event)
        return 0

    def _pressed(self, key: str) -> None:
        if key in ("q", "\x04"):
            self._stop()
        else:
            self._inbox.put_nowait(Key(key))

    async def _waiting(self) -> list[Item]:
        """All that waits, at least one."""
        items = [await self._inbox.get()]
        while not self._inbox.empty():
            items.append(self._inbox.get_nowait())
        return collapse(items)

    async def _take(self, items: list[Item]) -> bool:
        """Does them in turn; False when one of them ends the watch, and then nothing else is begun."""
        if None in items:
            return False
        for item in items:
            if isinstance(item, Settled):
                await self._changed(item)
            elif isinstance(item, Heard):
                await self._act(partial(self._tell, item.events))
            elif item is not None:
                await self._key(item.key)
        return True

    async def _changed(self, change: Settled) -> None:
        taken_along = self._done is not None and not change.snapshot.since(self._done)
        if self._paused or (taken_along and not change.others):
            return  # a run before took this change along, under its gate
        await self._act(partial(self._push, change.snapshot, change))

    async def _key(self, key: str) -> None:
        if key == "r":
            await self._act(partial(self._push, None, None))
        elif key == "s":
            await self._act(partial(status, self._session))
        elif key == "u":
            await self._act(self._undo)
        elif key == "p":
            self._paused = not self._paused
            said = "paused: saves are not pushed until p is pressed again" if self._paused else "going on"
            self._session.emit(e.Notice(said))
            if not self._paused:
                await self._act(partial(self._push, None, None))

    async def _act(self, action: Callable[[], int]) -> None:
        await self._loop.run_in_executor(self._thread, self._guarded, action)

    def _push(self, snapshot: Snapshot | None, change: Settled | None) -> int:
        if change is not None:
            self._session.emit(e.Changed(change.paths or change.others))
        ask = self._ask if self._keyboard is not None else None
        if not self._allowed and not confirmed(self._session, Consent(self._yes, ask)):
            return 0
        self._allowed = True
        snapshot = snapshot or self._session.sources.scan()
        saved = _saved(snapshot, self._done) if change is not None else ()
        try:
            return self._session.pusher.push(snapshot, began=change.saved_at if change else None, saved=saved)
        finally:
            self._done = self._session.pusher.last or snapshot

    def _undo(self) -> int:
        view, _ = self._session.pusher.refresh()
        target = plan(view, self._session.pusher.releases, None)
        name = self._session.config.to.name
        if not self._ask(f"Roll {name} back from #{view.head.seq} to the code of #{target.code_of}?"):
            return 0
        return roll_back(self._session.pusher, self._session.tools, target)

    def _ask(self, text: str) -> bool:
        """Waits for one key, in the push's thread. Nobody there is a no."""
        if self._keyboard is None:
            return False
        self._session.emit(e.Notice(f"{text} [y/N]"))
        return asyncio.run_coroutine_threadsafe(self._keyboard.ask(), self._loop).result() in ("y", "Y")


def _saved(snapshot: Snapshot, before: Snapshot | None) -> tuple[str, ...]:
    """The modules that differ from what was looked at before."""
    pairs = snapshot.changes(before) if before is not None else ()
    return tuple(module.name for pair in pairs for module in pair if module is not None)


def _raise(error: BaseException) -> int:
    raise error
