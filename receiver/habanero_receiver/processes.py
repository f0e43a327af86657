"""Which processes of this machine are which, and whether they are still there.

A number alone says little: numbers are used again, and each container counts its own. So a process is named by its
number, the kernel's boot and namespace that the number belongs to, and the moment it was born. It signals nobody.
"""

from __future__ import annotations

import os
from pathlib import Path

from habanero_receiver.journal.starts import Process

_STARTED_AT = 19
"""The field of /proc/<pid>/stat, counted after the command's closing parenthesis."""


def this_process() -> Process:
    """Name the process that asks."""
    pid = os.getpid()
    return Process(pid, f"{world()} {_born(pid)}")


def is_alive(process: Process) -> bool:
    """Whether that very process is there; one of another container or another boot of the machine is not."""
    if process.pid <= 0 or process.born.rpartition(" ")[0] != world():
        return False
    return exists(process.pid) and process.born.rpartition(" ")[2] == _born(process.pid)


def exists(pid: int) -> bool:
    """Whether any process has this number here."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def world() -> str:
    """Name the kernel boot and the process namespace; the host's name where /proc does not tell them."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return os.uname().nodename


def _born(pid: int) -> str:
    """When a process began, in ticks since the boot; empty where that cannot be told. A zombie has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == b"Z" else fields[_STARTED_AT].decode()
