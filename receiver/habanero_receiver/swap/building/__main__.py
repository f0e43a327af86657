"""Starts the server as a script, in an interpreter that knows nothing of this project.

``pythonX.Y -I -S building/__main__.py`` makes this folder a package of its own, named ``building``. The folder around
it comes last on the path: nothing that lies beside this one can stand in for a module of the standard library.
"""

from __future__ import annotations

import os.path
import sys

if __name__ == "__main__":
    if not __package__:
        folder = os.path.dirname(__file__)  # noqa: PTH120  # pathlib would take much of the time to start
        around, __package__ = os.path.split(folder)
        sys.path.append(around)
    from .server import serve

    serve()
