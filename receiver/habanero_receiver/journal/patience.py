"""Waits for a store only so long: a bounded time for work that may block for ever.

What it does: runs work in a thread of its own and gives it up when its time is over. What it does not: it cannot end
the work; a thread that hangs in a read is left behind, holding nothing, and ends with the process.

The rule it upholds: a start never hangs on a bucket, whatever the bucket is.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from habanero_receiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def within(seconds: float, what: str, work: Callable[[], T]) -> T:
    """Give what `work` returns or raises; StoreError when that takes longer than `seconds`.

    The work must import nothing of ours: the importing thread may be the one that waits here.
    """
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="habanero-boot", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise StoreError(
            "store-slow",
            f"the bucket took longer than {seconds:g} s for {what}",
            help="look at the bucket, or give it more time with HABANERO_BOOT_WAIT",
        )
    result: T = results[0]
    return result
