"""The journal as the command reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from authoring import Author

from habanero_py.releases import Releases
from habanero_py.remote_journal import Entry

BASE = "sha256:" + "0" * 64


@dataclass
class Journal:
    """A server that gives all the entries it has, as many as a hundred at a time."""

    entries: list[Entry]
    asked: list[int] = field(default_factory=list)

    def journal(self, after: int) -> tuple[Entry, ...]:
        self.asked.append(after)
        return tuple(entry for entry in self.entries if entry.seq > after)


def test_what_lies_past_the_head_is_not_looked_at() -> None:
    """An entry that the server itself has refused keeps nobody from reading the releases before it."""
    push = Author().push(BASE, {"shop.rates": "RATE = 1\n"})
    server = Journal([Entry(1, push.envelope.encode()), Entry(2, b"{}"), Entry(3, b"")])
    releases = Releases(server)  # type: ignore[arg-type]
    assert [past.digest for past in releases.load(after=0, upto=1)] == [push.digest]
    assert server.asked == [0]
