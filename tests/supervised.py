"""A supervisor with short pauses, and what is declared to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from habanero_receiver.tasks.declared import Declaration, Task, declare
from habanero_receiver.tasks.life import Pace
from habanero_receiver.tasks.supervisor import Supervisor

DEADLINE_S = 10
QUICK = Pace(first_pause_s=0.01, last_pause_s=0.04, steady_s=30, grace_s=0.05, end_wait_s=5)


@dataclass
class Company:
    """A supervisor and what is declared to it."""

    pace: Pace = QUICK
    declared: dict[str, Declaration] = field(default_factory=dict)
    swapping: bool = False

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.declared, lambda: self.swapping, self.pace)

    def task(self, function: Callable[..., Any], state: object = None, name: str = "") -> Task[..., Any]:
        handle = declare(self.declared, self.supervisor, function, state, name)
        self.supervisor.settle()
        return handle


async def turned(true: Callable[[], object]) -> None:
    """Let the event loop turn until something is so that nothing tells of."""
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110  # a phase has no event of its own
            await asyncio.sleep(0.001)
