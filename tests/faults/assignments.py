"""Fault points inside a commit: before each assignment of the engine, and after the last.

What it does: puts an undo log in the engine's place of its own that passes a point at each change that it notes or
does; those that the engine does as one are done one by one, so that a kill comes between any two. What it does not: an
assignment that *fails* is tried without a process, by the tests of the engine.
"""

from __future__ import annotations

from pathlib import Path

from faults.points import Trap


def install(trap: Trap, _: tuple[Path, ...]) -> None:
    """Count the assignments of this process's commits, for good. The local copy is made at once."""
    from habanero_receiver.fleet import keeping
    from habanero_receiver.swap import staged, undo

    class CountedLog(undo.UndoLog):
        def do(self, step: undo.Step, inverse: undo.Step) -> None:
            trap.hit("assign", step=True)
            super().do(step, inverse)

        def note(self, inverse: undo.Step) -> None:
            trap.hit("note", step=True)
            super().note(inverse)
            trap.hit("noted", step=True)

        def do_all(self, steps: list[undo.Step], inverses: list[undo.Step]) -> None:
            for step, inverse in zip(steps, inverses, strict=True):
                self.do(step, inverse)
            trap.hit("all assigned", step=True)

    staged.UndoLog = CountedLog  # type: ignore[misc]  # a class in the place of another
    keeping.QUIET_S = 0.0
