"""What a store, the network and the library say when something fails, as our errors in plain words.

What it does: reads the library's exceptions, which carry the answer's status and body as text, and decides which of our
codes they are and whether trying again may help. What it does not: it makes no request, and never repeats the
request's address, which may hold a signature.

The rule it upholds: "there is no such key" is believed only of a store that says so in its own words. A web server's
404 is not an empty bucket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from habanero_receiver.errors import StoreError

if TYPE_CHECKING:
    from habanero_receiver.journal.stores.address import Address

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_WORD = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")
_WORDS = re.compile(r"<Message>([^<]{1,200})")
_ABSENT = frozenset({"NoSuchKey", "BlobNotFound"})
_GONE = "The specified blob does not exist"  # Azure, which removes in batches and answers them without codes
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "ResourceNotFound"})
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
_DENIED = frozenset({
    "AccessDenied", "AllAccessDisabled", "AuthenticationFailed", "AuthorizationFailure", "ExpiredToken",
    "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "AuthorizationPermissionMismatch",
})  # fmt: skip
_REGION = frozenset({
    "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "TemporaryRedirect",
})  # fmt: skip
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_DENIED_HELP = (
    "the key needs to read, write, list and delete objects in this bucket; look at its policy, and at the variables"
    " that hold it (docs/buckets.md lists them)"
)


class Failure(NamedTuple):
    """An error of ours, and whether the same request may succeed a moment later."""

    error: StoreError
    again: bool


class _Said(NamedTuple):
    """What can be read out of an exception: the HTTP status, the store's own word, its sentence, and all of it."""

    status: int
    word: str
    words: str
    text: str

    @property
    def answer(self) -> str:
        """The answer in short."""
        return f"{self.status} {self.word}".rstrip() + (f" ({self.words})" if self.words else "")


def is_absent(error: Exception) -> bool:
    """Whether the store says that it has no such key."""
    return isinstance(error, FileNotFoundError) and (_read(error).word in _ABSENT or _GONE in str(error))


def judge(error: Exception, doing: str, address: Address) -> Failure:
    """Find the code for what happened while `doing` ("read v1/x")."""
    said = _read(error)
    code, text, help_line, again = _by_answer(said, address) if said.status else _by_network(said, address)
    message = f"could not {doing} in the bucket {address}: {text}"
    return Failure(StoreError(code, message, subject=str(address), help=help_line), again)


def inconsistent(doing: str, address: Address) -> Failure:
    """A key that the store says is taken and then does not have: another writer's was refused, or a read was stale."""
    text = "the store says that the key is taken, and then that there is none"
    return Failure(StoreError("store", f"could not {doing} in the bucket {address}: {text}", help="push again"), True)


def no_store(address: Address) -> StoreError:
    """Something was given for a key that nobody makes, as by a web server that has a page for everything."""
    text, help_line = f"what answers for {address} gives a page for every name", "correct the endpoint"
    return StoreError("store-endpoint", text, subject=str(address), help=help_line)


def _read(error: Exception) -> _Said:
    text = str(error)
    status = _STATUS.search(text)
    word, words = _WORD.search(text), _WORDS.search(text)
    return _Said(
        int(status[1]) if status else 0, word[1] if word else "", " ".join(words[1].split()) if words else "", text
    )


def _by_answer(said: _Said, address: Address) -> tuple[str, str, str, bool]:
    if said.word in _NO_BUCKET:
        return "store-no-bucket", f"there is no bucket {address.bucket}", "make it, or correct HABANERO_BUCKET", False
    if said.word in _CLOCK:
        return "store-clock", f"it refuses this machine's clock: {said.answer}", "set the clock by NTP", False
    if said.word in _REGION or 300 <= said.status < 400:
        return _elsewhere(said.answer)
    if said.word in _DENIED or said.status in (401, 403):
        return "store-denied", f"it refuses the credentials: {said.answer}", _DENIED_HELP, False
    if said.status == 501 or said.word == "NotImplemented":
        return (
            "store-not-exclusive", f"it has no create-only writes: {said.answer}",
            "use a store that honours If-None-Match; docs/buckets.md names some", False,
        )  # fmt: skip
    if said.status in _BUSY:
        return "store", f"it is out of order or too busy: {said.answer}", "look at the store's status page", True
    return (
        "store-endpoint", f"what answers does not speak as such a store does: {said.answer}",
        "correct the endpoint: the store's own address, without the bucket", False,
    )  # fmt: skip


def _by_network(said: _Said, address: Address) -> tuple[str, str, str, bool]:
    """Nothing was answered, or not to the end. The library's words for it are those of its parts."""
    text = said.text
    where = address.endpoint or "the provider's address"
    if "dns error" in text:
        return "store-unreachable", f"no machine has the name in {where}", "correct the endpoint, or mend DNS", True
    if "Received redirect" in text:
        return _elsewhere("a redirect that says no address")
    if "metadata" in text or "169.254.169.254" in text or "CredentialsNotLoaded" in text:
        return (
            "store-denied", "this process has no credentials for it",
            "set the variables that hold them; docs/buckets.md lists them", False,
        )  # fmt: skip
    if "ertificate" in text or "InvalidMessage" in text or "AlertReceived" in text:
        return (
            "store-unreachable", f"what answers at {where} has no certificate that this machine trusts",
            "correct the endpoint, or add the certificate to this machine's", False,
        )  # fmt: skip
    if "imedOut" in text or "kind: Timeout" in text or "timed out" in text:
        return "store-timeout", f"{where} did not answer in time", "look at the network and the store's status", True
    if "kind: Connect" in text:
        return "store-unreachable", f"nothing takes connections at {where}", "correct the endpoint", True
    return "store", f"the answer broke off: {_kind(text)}", "look for a proxy on the way to the store", True


def _elsewhere(answer: str) -> tuple[str, str, str, bool]:
    text = f"the bucket is in another region or at another address: {answer}"
    return "store-endpoint", text, "set AWS_REGION to the bucket's own, or correct the endpoint", False


def _kind(text: str) -> str:
    """The library's word for it, without the request's address."""
    first = text.partition("\n")[0]
    return first.rpartition(" - ")[2][:120] or "unknown"
