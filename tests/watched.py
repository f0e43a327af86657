"""A watch over a laptop, played: what it says can be waited for."""

from __future__ import annotations

import asyncio
from functools import partial

from habanero_py import events as e
from habanero_py.commands.watch import Watch
from habanero_py.commands.writes import Consent
from habanero_py.reporting import guarded

DEADLINE_S = 20.0


class Stage:
    """A watch over a laptop, whose events can be waited for."""

    def __init__(self, laptop, *, yes: bool = False, **flags: object) -> None:
        self.laptop = laptop
        self.seen: asyncio.Queue[e.Event] = asyncio.Queue()
        self.loop = asyncio.get_running_loop()
        self.session = laptop.session(**flags)
        self.session.emit = self.emit
        guard = partial(guarded, emit=self.emit, running=lambda: self.session.pusher.running)
        self.watch = Watch(self.session, Consent(yes, None), guard, keys=False)
        object.__setattr__(self.session.tools, "emit", self.emit)

    def emit(self, event: e.Event) -> None:
        self.loop.call_soon_threadsafe(self.seen.put_nowait, event)

    async def until(self, kind: type[e.Event]) -> e.Event:
        async with asyncio.timeout(DEADLINE_S):
            while not isinstance(event := await self.seen.get(), kind):
                pass
        return event

    async def play(self, acts, *, push_first: bool = True) -> int:
        running = asyncio.create_task(self.watch.run(push_first=push_first))
        try:
            await self.until(e.Ready)
            await acts(self)
        finally:
            self.watch._stop()
            async with asyncio.timeout(DEADLINE_S):
                code = await running
            self.session.close()
        return code


def play(laptop, acts, **flags: object) -> int:
    async def whole() -> int:
        push_first = bool(flags.pop("push_first", True))
        return await Stage(laptop, **flags).play(acts, push_first=push_first)

    return asyncio.run(whole())
