"""The notes beside a journal: what machines and workers say of themselves and of releases.

What it does: turns names into keys, reads and writes small objects, many side by side where a network is between. What
it does not: it reads nothing into them; each has a module of its own that knows its form.

The rule it upholds: whoever can write to the bucket may have written a note, so every one has a limit of size, one that
is too large is as if it were not there, and none decides what code runs, but for a verdict the one step that the
release's own signed policy allows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from habanero_receiver.journal.bucket import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from habanero_receiver.journal.bucket import Bucket

MAX_NOTE_BYTES = 16_384
"""The size of a heartbeat, a verdict or the format."""
MAX_ERRORS_BYTES = 65_536
"""The size of what a worker says of its errors."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""The size of what a worker says that it runs, module by module."""


class Notes:
    """The notes of one app, environment and base. Every method raises StoreError when the bucket fails."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        """`prefix` is what the keys of the journal begin with."""
        self._bucket = bucket
        self._prefix = prefix

    def put_host(self, name: str, data: bytes) -> None:
        """Set a worker's heartbeat."""
        self._bucket.replace(f"{self._prefix}/hosts/{name}.json", data)

    def drop_host(self, name: str) -> None:
        """Remove the heartbeat of a worker that is gone."""
        self._bucket.remove(f"{self._prefix}/hosts/{name}.json")

    def hosts(self) -> dict[str, bytes]:
        """All heartbeats by name. One that is too large, or gone since the listing, is left out."""
        return self._notes(f"{self._prefix}/hosts")

    def put_verdict(self, seq: int, name: str, data: bytes) -> bool:
        """Create a verdict on release `seq`, and have it found; False when that name has said another thing already.

        The key that is looked at comes first, and is replaced: whoever was killed in between does both again, and
        nothing that was left there can keep a verdict from being found.
        """
        self._bucket.replace(f"{self._verdicts_key(seq)}.json", data)
        return self._bucket.create(f"{self._verdicts_key(seq)}/{name}.json", data)

    def newest_verdict(self, seq: int) -> bytes | None:
        """The verdict on release `seq` that was said last, or None: one read, for those who look again and again."""
        return self._note(f"{self._verdicts_key(seq)}.json", MAX_NOTE_BYTES)

    def verdicts(self, seq: int) -> dict[str, bytes]:
        """All verdicts on release `seq` by name."""
        return self._notes(self._verdicts_key(seq))

    def put_confirmed(self, seq: int, data: bytes) -> None:
        """Note who ran release `seq` when its push was answered."""
        self._bucket.replace(f"{self._prefix}/confirmed/{seq:08d}.json", data)

    def notes(self, numbers: Iterable[int]) -> dict[int, tuple[bytes | None, bytes | None]]:
        """For each of many releases that note and the newest verdict, read side by side; None where there is none."""
        keys = {seq: (f"{self._prefix}/confirmed/{seq:08d}.json", f"{self._verdicts_key(seq)}.json") for seq in numbers}
        found = self._bucket.get_all({key: MAX_NOTE_BYTES for pair in keys.values() for key in pair})
        return {seq: (found.get(confirmed), found.get(said)) for seq, (confirmed, said) in keys.items()}

    def confirmed(self, seq: int) -> bytes | None:
        """That note, or None."""
        return self._note(f"{self._prefix}/confirmed/{seq:08d}.json", MAX_NOTE_BYTES)

    def put_deployed(self, data: bytes) -> None:
        """Say what is deployed here, for who pushes through the bucket (`deployed` beside this file)."""
        self._bucket.replace(f"{self._prefix}/deployed.json", data)

    def deployed(self, max_bytes: int) -> bytes | None:
        """What was said of it, or None."""
        return self._note(f"{self._prefix}/deployed.json", max_bytes)

    def ask(self, question: bytes) -> None:
        """Set the question that every worker answers."""
        self._bucket.replace(f"{self._prefix}/question.json", question)

    def question(self) -> bytes | None:
        """The newest question, or None."""
        return self._note(f"{self._prefix}/question.json", MAX_NOTE_BYTES)

    def put_answer(self, name: str, data: bytes) -> None:
        """Set a worker's answer."""
        self._bucket.replace(f"{self._prefix}/answers/{name}.json", data)

    def drop_answer(self, name: str) -> None:
        """Remove the answer of a worker that is gone."""
        self._bucket.remove(f"{self._prefix}/answers/{name}.json")

    def answer(self, name: str) -> bytes | None:
        """A worker's newest answer, or None."""
        return self._note(f"{self._prefix}/answers/{name}.json", MAX_ANSWER_BYTES)

    def put_errors(self, name: str, data: bytes) -> None:
        """Set what a worker says of the errors that it saw."""
        self._bucket.replace(f"{self._prefix}/errors/{name}.json", data)

    def drop_errors(self, name: str) -> None:
        """Remove the errors of a worker that is gone."""
        self._bucket.remove(f"{self._prefix}/errors/{name}.json")

    def errors(self) -> dict[str, bytes]:
        """What all workers say of their errors, by name. What is too large, or gone since the listing, is left out."""
        return self._notes(f"{self._prefix}/errors", MAX_ERRORS_BYTES)

    def put_pruning(self, data: bytes) -> None:
        """Keep the signed request to prune, durably."""
        self._bucket.create(f"{self._prefix}/prunings/{hashlib.sha256(data).hexdigest()}.json", data)

    def prunings(self) -> dict[str, bytes]:
        """The signed requests to prune by digest. Anyone's bytes until their signatures were verified."""
        return self._notes(f"{self._prefix}/prunings")

    def _note(self, key: str, max_bytes: int) -> bytes | None:
        """One informative object; None for one that is too large to be ours."""
        try:
            return self._bucket.get(key, max_bytes=max_bytes)
        except TooLargeError:
            return None

    def _notes(self, folder: str, max_bytes: int = MAX_NOTE_BYTES) -> dict[str, bytes]:
        keys = [key for key in self._bucket.list(folder) if key.endswith(".json")]
        found = self._bucket.get_all(dict.fromkeys(keys, max_bytes))
        return {key.rpartition("/")[2].removesuffix(".json"): data for key, data in found.items()}

    def _verdicts_key(self, seq: int) -> str:
        return f"{self._prefix}/verdicts/{seq:08d}"
