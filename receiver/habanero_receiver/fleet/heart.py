"""The heart: one thread per process that says what it runs, at once when that changes and every few seconds otherwise.

In between it listens: a question that was put to every worker (`inspection`) is answered at its next look.

It has a thread of its own so that a process that hangs in a swap is still seen, on the release that it runs.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError
from habanero_receiver.fleet import inspection

if TYPE_CHECKING:
    from habanero_receiver.fleet.node import Node

_log = logging.getLogger("habanero")

STOP_WAIT_S = 2.0


class Heart:
    """Owns the thread. `start` after a fork, never at import."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._over = False
        self._thread = threading.Thread(target=self._run, name="habanero-heart", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and take this worker's word back: it is gone."""
        self._over = True
        self._node.tell.set()
        self._thread.join(STOP_WAIT_S)
        self._node.leave()

    def _run(self) -> None:
        node = self._node
        while not self._over:
            node.tell.clear()
            node.beat()
            next_beat = time.monotonic() + node.pace.beat_s
            while not node.tell.wait(node.pace.listen_s) and time.monotonic() < next_beat:
                self._listen()

    def _listen(self) -> None:
        try:
            inspection.answer_news(self._node)
        except HabaneroError as error:
            _log.warning("could not answer what this process runs: %s", error.message)
        except Exception:  # looking at modules must not end the heartbeats
            _log.exception("could not find out what this process runs")
