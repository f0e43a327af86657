"""A background job: it counts, and a restart would make it start over."""

import asyncio

state = {"ticks": 0}


async def run() -> None:
    """Counts ten times a second until it is cancelled."""
    while True:
        tick()
        await asyncio.sleep(0.1)


def tick() -> None:
    """One step: new code takes over at the next one."""
    state["ticks"] += 1
