"""The receiver: takes signed releases into a live process. This is the part of habanero-py that runs on a server.

    from habanero_receiver import Receiver

    receiver = Receiver.from_env()
    receiver.mount(app)

The first import of this package boots: with trusted keys in the environment, the newest release of the journal is put
before the disk, so that every module imported from then on is the release's. Import it first in the entry module, or
start the server through `habanero-py run --`, and not even the entry module is imported from the disk first.

The rule it upholds: without trusted keys this import does nothing at all; with them, it imports no web framework.
"""

from __future__ import annotations

import os as _os
import sys as _sys

from habanero_receiver.receiver import Receiver

__all__ = ["Receiver"]


def _boot() -> None:
    configured = _os.environ.get("HABANERO_TRUSTED_KEYS") or _os.environ.get("HABANERO_TRUSTED_KEYS_FILE")
    # The command, as a launcher too, serves nothing itself: the process that it becomes or talks to boots.
    command = "habanero_py" in _sys.modules or (_sys.argv[:1] == ["-m"] and __name__ in _sys.orig_argv)
    if configured and not command:
        from habanero_receiver import boot

        boot.boot_from_env()


_boot()
