"""What a server answers about its journal, as values: entries and what lies beside them, listings, prunes.

Pure: parsed JSON in, values out, as `remote`.
"""

from __future__ import annotations

from dataclasses import dataclass

from habanero_py.answers import as_list, as_object, decode_base64, get, get_int, get_optional, get_text
from habanero_py.events import Confirmation, OldBase, Verdict
from habanero_py.remote_fleet import moment


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal: the envelope's own bytes.

    With details, what the server has for its manifest, who ran it when it was pushed, as it was noted then, and why it
    was found bad, if it was.
    """

    seq: int
    envelope: bytes
    manifest: bytes | None = None
    confirmed: tuple[Confirmation, ...] = ()
    withdrawn: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Previous:
    """GET /v1/previous: the last release over the base that was deployed before. `manifest` is None when pruned."""

    base: str
    push: int
    manifest_digest: str
    manifest: bytes | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The numbers of the journal's entries as a listing shows them, and the signed requests to prune."""

    numbers: tuple[int, ...]
    prunings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prunable:
    """What a prune may remove, or did: the code of `releases`, all below number `below`; whole journals; blobs."""

    base: str
    below: int
    releases: tuple[int, ...]
    bases: tuple[OldBase, ...]
    blobs: int


def parse_journal(answer: object) -> tuple[Entry, ...]:
    """GET /v1/journal: the entries, oldest first."""
    entries = []
    for item in as_list(get(as_object(answer, "journal"), "entries"), "entries"):
        entry = as_object(item, "entry")
        manifest = decode_base64(get_text(entry, "manifest")) if entry.get("manifest") is not None else None
        confirmed = _confirmed(entry.get("confirmed"))
        envelope, withdrawn = decode_base64(get_text(entry, "envelope")), _verdict(entry.get("withdrawn"))
        entries.append(Entry(get_int(entry, "seq"), envelope, manifest, confirmed, withdrawn))
    return tuple(entries)


def parse_previous(answer: object) -> Previous | None:
    """GET /v1/previous; None where nothing was released before this deployment."""
    found = get(as_object(answer, "previous"), "release")
    if found is None:
        return None
    data = as_object(found, "release")
    manifest = get_optional(data, "manifest")
    return Previous(
        base=get_text(data, "base"),
        push=get_int(data, "seq"),
        manifest_digest=get_text(data, "manifest_digest"),
        manifest=None if manifest is None else decode_base64(manifest),
    )


def parse_listing(answer: object) -> Listing:
    """GET /v1/listing."""
    data = as_object(answer, "listing")
    numbers = tuple(number for number in as_list(get(data, "numbers"), "numbers") if isinstance(number, int))
    return Listing(numbers, tuple(decode_base64(str(item)) for item in as_list(get(data, "prunings"), "prunings")))


def parse_prunable(answer: object) -> Prunable:
    """GET and POST /v1/prune."""
    data = as_object(answer, "prune")
    bases = [as_object(item, "base") for item in as_list(get(data, "bases"), "bases")]
    releases = (number for number in as_list(get(data, "releases"), "releases") if isinstance(number, int))
    return Prunable(
        base=get_text(data, "base"),
        below=get_int(data, "below"),
        releases=tuple(releases),
        bases=tuple(
            OldBase(get_text(base, "base"), get_int(base, "entries"), get_optional(base, "newest")) for base in bases
        ),
        blobs=get_int(data, "blobs"),
    )


def _verdict(said: object) -> Verdict | None:
    if said is None:
        return None
    data = as_object(said, "withdrawn")
    return Verdict(get_text(data, "machine"), get_text(data, "reason"), moment(data.get("at")))


def _confirmed(note: object) -> tuple[Confirmation, ...]:
    """The note beside an entry; nothing for one that cannot be read, since whoever can write the bucket wrote it."""
    machines = note.get("machines") if isinstance(note, dict) else None
    return tuple(
        Confirmation(item["machine"], item["applied"], item["workers"])
        for item in (machines if isinstance(machines, list) else [])
        if isinstance(item, dict)
        and isinstance(item.get("machine"), str)
        and all(type(item.get(name)) is int for name in ("applied", "workers"))
    )
