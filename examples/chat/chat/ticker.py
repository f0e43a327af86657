"""A background job: it counts, and a restart would make it start over."""

import asyncio

state = {"ticks": 0}


async def run(state: dict[str, int]) -> None:
    """Counts ten times a second. When this loop is edited it begins again, and counts on."""
    while True:
        state["ticks"] += 1
        await asyncio.sleep(0.1)
