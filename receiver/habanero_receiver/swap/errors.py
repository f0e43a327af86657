"""Errors of the swap engine.

SwapError                  the base of all
  SwapRefusedError         the live process cannot take the change; nothing was touched, or all of it was put back
  SwapFailedError          the commit raised; all that it had done was undone
  SwapUndoError            undoing raised too: the process is in neither state and should be restarted
"""

from __future__ import annotations

from .report import Refusal, SwapReport


class SwapError(Exception):
    """Base of the engine's errors. ``report`` is the plan as far as it came."""

    code = "swap"

    def __init__(self, message: str, report: SwapReport) -> None:
        super().__init__(message)
        self.report = report


class SwapRefusedError(SwapError):
    """The live process cannot take the change. It is as it was."""

    code = "swap-refused"

    def __init__(self, report: SwapReport) -> None:
        lines = [f"{name}: {refusal}" for name, refusal in report.refusals()]
        super().__init__("; ".join(lines) or "refused", report)

    @property
    def refusals(self) -> list[tuple[str, Refusal]]:
        """Every refusal with the module it is in."""
        return self.report.refusals()


class SwapFailedError(SwapError):
    """A statement of the new code raised during the commit (``__cause__``); everything was put back.

    The report's refusal names the statement, with the traceback.
    """

    code = "rolled-back"


class SwapUndoError(SwapError):
    """Putting things back raised as well (``__cause__``). The process should be restarted."""

    code = "dirty"
