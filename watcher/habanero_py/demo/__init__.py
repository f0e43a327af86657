"""The main job, for real, in under a minute: a server, an open WebSocket, and a day of changes.

Everything is what a user would run: uvicorn, the command itself, a real key, a real bucket, a real kill. Each step says
what happened and how long it took, and the demo fails at the first step that is not so.
"""

from __future__ import annotations

from .story import main

__all__ = ["main"]
