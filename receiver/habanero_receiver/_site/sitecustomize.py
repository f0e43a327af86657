# ruff: noqa: ANN001, ANN202, PTH100, PTH120, UP032  # read by any Python, also by one too old for these
"""Boots habanero before anything else in a Python that `habanero-py run` started, then gives way to the next one.

Any Python that inherits the environment imports this file, whatever its version and whatever is installed in it: so
it is written for all of them, does nothing unless HABANERO_RUN says that it is meant, prints nothing but why a start
is refused, and always imports the `sitecustomize` that would have been imported without it.
"""

import os
import sys


def _boot():  # type: () -> None
    if os.environ.get("HABANERO_RUN") != "1" or sys.version_info < (3, 11):
        return
    try:
        from habanero_receiver import boot
    except ImportError as error:
        if error.name == "habanero_receiver":
            return  # another Python than the server's, without habanero in it
        raise
    boot.boot_from_env()


def _refuse(error):  # type: (Exception) -> None
    """End the start: what a sitecustomize raises would be shown in one line, and passed over."""
    text = "error[{}]: {}\n".format(getattr(error, "code", "internal"), getattr(error, "message", repr(error)))
    if getattr(error, "help", ""):
        text += "  help: {}\n".format(error.help)  # type: ignore[attr-defined]  # looked for just above
    sys.stderr.write(text + "          nothing was started\n")
    sys.stderr.flush()
    os._exit(2)


def _next():  # type: () -> None
    """Import the sitecustomize that comes after this one on the path, as if this one were not there."""
    here = os.path.realpath(os.path.dirname(os.path.abspath(__file__)))
    ours = sys.modules.pop("sitecustomize", None)
    hidden = [place for place in sys.path if os.path.realpath(place) == here]
    sys.path[:] = [place for place in sys.path if place not in hidden]
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if ours is not None:
            sys.modules["sitecustomize"] = ours
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        sys.path[:0] = hidden


try:
    _boot()
except Exception as error:
    if hasattr(error, "code") or os.environ.get("HABANERO_BOOT") == "require":
        _refuse(error)
    raise
finally:
    _next()
