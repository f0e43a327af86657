"""What one machine remembers on its own disk: the highest release that it ran, and packed copies of the newest ones.

    <state>/<app>/<environment>/<id>/<instance>/<base>/floor.json                number and digest of that release
                                                      packs/00000017-<digest>    (`pack` beside this file)
                                                      starts.json                (`starts` beside this file)
                                                      joined.json                how many processes joined the fleet

What it does: keeps these, drops old packs. What it does not: it decides nothing; a disk that cannot be written is
logged and changes nothing else.

The rules it upholds: the floor only rises. And what is read here is judged like what is read from the bucket: who can
write here can make this machine forget, or start on an older signed release, and no more than that.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import stat
from typing import TYPE_CHECKING

from habanero_receiver.errors import ConfigError
from habanero_receiver.journal import pack
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from habanero_receiver.release.manifest import Manifest

KEPT_PACKS = 3
"""Of one base: what runs, and what to go back to."""
KEPT_BASES = 3
_MAX_NOTE_BYTES = 65_536
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_log = logging.getLogger("habanero")


class Floor(NamedTuple):
    """The highest release that this machine ran over a base."""

    seq: int
    digest: str


class LocalState:
    """The folder of one target, instance and base. Nothing is made before there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, root: Path, target: str, instance: str, base: str) -> LocalState:
        """The folder's place below `root`. ConfigError `state-owner` when that is another user's, or anyone's."""
        _check_owner(root)
        return cls(root.joinpath(*re.split("[/#]", target), instance, base.removeprefix("sha256:")))

    def floor(self) -> Floor | None:
        """The highest release that ran here; None without one, and, said aloud, when the note is damaged."""
        value = self.read_note("floor.json")
        match value:
            case None:
                return None
            case {"seq": int(seq), "digest": str(digest)} if seq > 0 and _DIGEST.fullmatch(digest):
                return Floor(seq, digest)
        _log.error("error[copy-corrupt]: %s is damaged: it counts as empty", self.folder / "floor.json")
        return None

    def raise_floor(self, seq: int, digest: str) -> None:
        """Remember that this release ran here, unless a higher one did."""
        with self.locked():
            floor = self.floor()
            if floor is None or floor.seq < seq:
                self.write_note("floor.json", {"seq": seq, "digest": digest})

    def count_start(self) -> int:
        """Note that one more process joined here; how many did. OSError as the disk gives it."""
        with self.locked():
            value = self.read_note("joined.json")
            before = value.get("count") if isinstance(value, dict) else 0
            count = (before if isinstance(before, int) and before > 0 else 0) + 1
            self.write_note("joined.json", {"count": count})
        return count

    def pack(self, digest: str) -> pack.Pack | None:
        """The copy of the release with this payload digest, as it was read, or None. StoreError `copy-corrupt`."""
        for path in self._packs():
            if path.name.endswith(f"-{digest.removeprefix('sha256:')}"):
                return pack.read(path)
        return None

    def drop_pack(self, digest: str) -> None:
        """Remove a copy that turned out to be damaged."""
        for path in self._packs():
            if path.name.endswith(f"-{digest.removeprefix('sha256:')}"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def keep(
        self, seq: int, digest: str, envelope: bytes, manifest_bytes: bytes, manifest: Manifest,
        blobs: Mapping[str, bytes | memoryview], *, whole: bool,
    ) -> None:  # fmt: skip
        """Make the copy of a release, unless it is there, and drop the oldest. OSError as the disk gives it.

        `blobs` by digest: the code of every module; when `whole`, also all units and sources.
        """
        path = self.pack_path(seq, digest)
        with self.locked():
            if pack.is_whole(path) or (path.exists() and not whole):
                return
            self._make_room()
            path.parent.mkdir(exist_ok=True)
            pack.write(path, envelope, manifest_bytes, manifest, blobs, whole=whole)
            for old in self._packs()[KEPT_PACKS:]:
                old.unlink(missing_ok=True)

    def pack_path(self, seq: int, digest: str) -> Path:
        """Where the copy of a release is, or would be."""
        return self.folder / "packs" / f"{seq:08d}-{digest.removeprefix('sha256:')}"

    def has_whole_pack(self, seq: int, digest: str) -> bool:
        """Whether there is a copy of all of a release."""
        return pack.is_whole(self.pack_path(seq, digest))

    def read_note(self, name: str) -> object:
        """The JSON of one of the small files; None when it is not there, an empty string when it is damaged."""
        try:
            with (self.folder / name).open("rb") as file:
                return json.loads(file.read(_MAX_NOTE_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            return ""

    def write_note(self, name: str, value: object) -> None:
        """Replace one of the small files, durably. OSError as the disk gives it. Caller holds `locked`."""
        path = self.folder / name
        temporary = path.with_name(f".{name}.{os.getpid()}")
        with temporary.open("wb") as file:
            file.write(json.dumps(value, sort_keys=True).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other processes of this machine out of these files. OSError when there can be no such file."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("wb") as file:  # closed, and so unlocked, at the end or with the process
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _packs(self) -> list[Path]:
        """Newest first."""
        with contextlib.suppress(OSError):
            found = [path for path in (self.folder / "packs").iterdir() if not path.name.startswith(".")]
            return sorted(found, reverse=True)
        return []

    def _make_room(self) -> None:
        """Drop the packs of all but the newest bases: what a machine was deployed with long ago is in the bucket."""
        from shutil import rmtree  # a start that finds its copy does not pay for it

        bases = [folder for folder in self.folder.parent.iterdir() if folder != self.folder]
        bases.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in bases[KEPT_BASES:]:
            rmtree(folder / "packs", ignore_errors=True)


def _check_owner(root: Path) -> None:
    try:
        found = root.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            "state-owner", f"the state folder {root} cannot be used: {error.strerror}", subject=str(root)
        ) from error
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_IWOTH:
        raise ConfigError(
            "state-owner",
            f"the state folder {root} belongs to another user, or every user can write to it",
            subject=str(root),
            help=f"chown {os.geteuid()} {root} && chmod o-w {root}, or name another folder in HABANERO_STATE",
        )
