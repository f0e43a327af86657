"""Every error of habanero-py, by whose fault it is, and what each code means to a caller.

HabaneroError
  RequestError     the bytes are malformed or too large: the sender's program is at fault
  TrustError       not signed by who may sign, or not for here and now
  ConflictError    well signed, but the world has moved: base, sequence, predecessor or Python
  SwapError        the live process cannot take the change, or could not keep it
  StoreError       the bucket cannot be used, or holds what it must not hold
  ConfigError      the operator's or the developer's settings

Raises nothing, prints nothing, knows no transport. The rule it upholds: every error has a code of `CODES`, and a code
never changes its meaning, so that programs may decide by it while the words stay free to improve. Codes of the
command's own dialogue are in a table beside it, `habanero_py.codes`; `docs/errors.md` shows both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from habanero_receiver.values import NamedTuple

BUG, USAGE, GATE_FAILED, REFUSED, ROLLED_BACK, OUT_OF_STEP, NOT_TRUSTED, UNREACHABLE = range(1, 9)
"""Exit codes of the command."""

NOT_SENT = 0
"""The status of a code that never travels over HTTP."""


class CodeInfo(NamedTuple):
    """What a code means: its HTTP status (`NOT_SENT` if it stays local), the command's exit code, a short title.

    `help` is what to do when whoever raises the error knows nothing better.
    """

    status: int
    exit: int
    title: str
    help: str = ""


class HabaneroError(Exception):
    """Base of all errors.

    `code` is a key of `CODES`; `subject` names the thing (a module, a field, a path); `help` says what to do;
    `details` holds JSON values for programs.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        subject: str = "",
        help: str = "",  # noqa: A002  (the word that the user reads)
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.subject = subject
        self.help = help or self.info.help
        self.details = dict(details or {})

    def __str__(self) -> str:
        return self.message

    @property
    def info(self) -> CodeInfo:
        """What the code means; an unknown code counts as a bug of ours."""
        return CODES.get(self.code, CODES["internal"])

    def problem(self, running: int | None) -> dict[str, object]:
        """The RFC 9457 problem; `running` is the number of the release that runs now (None: not known)."""
        body: dict[str, object] = {
            "type": f"urn:habanero-py:error:{self.code}",
            "title": self.info.title,
            "status": self.info.status or CODES["internal"].status,
            "code": self.code,
            "detail": self.message,
            "subject": self.subject,
            "help": self.help,
            "running": running,
        }
        if self.details:
            body["details"] = self.details
        return body


class RequestError(HabaneroError):
    """Malformed or oversized bytes. Nothing was kept of them."""


class TrustError(HabaneroError):
    """Not signed by who may sign, not meant for here, or not for now."""


class ConflictError(HabaneroError):
    """Well signed, but made for another state of the world than ours."""


class SwapError(HabaneroError):
    """The live process cannot take the change; unless the code is `dirty`, it runs what it ran before."""


class StoreError(HabaneroError):
    """The bucket cannot be reached, or what it holds is not what was put there."""


class ConfigError(HabaneroError):
    """A setting, a key file or an address that cannot be used."""


_SAME_VERSION = "use the same version of habanero-py on both sides"
_ON_THE_WAY = "push again; if it stays so, look for a proxy that changes or cuts bodies"
_SMALLER = "push fewer or smaller modules, or deploy with a restart"
_OURS = "report it, please: this is a bug of ours"

CODES: Mapping[str, CodeInfo] = MappingProxyType({
    # RequestError: the frame of a push
    "magic": CodeInfo(400, REFUSED, "Not a push"),
    "truncated": CodeInfo(400, REFUSED, "Body shorter or longer than it says", _ON_THE_WAY),
    "envelope-size": CodeInfo(413, REFUSED, "Envelope empty or too large", _SAME_VERSION),
    "unexpected-blob": CodeInfo(400, REFUSED, "Blob that the manifest does not ask for", _SAME_VERSION),
    "blob-missing": CodeInfo(400, REFUSED, "Blob neither sent nor held"),
    "blob-digest": CodeInfo(400, REFUSED, "Blob does not match its digest", _ON_THE_WAY),
    # RequestError: text and JSON
    "json": CodeInfo(400, REFUSED, "Not JSON", _SAME_VERSION),
    "json-depth": CodeInfo(400, REFUSED, "JSON nested too deeply", _SAME_VERSION),
    "duplicate-key": CodeInfo(400, REFUSED, "Key given twice", _SAME_VERSION),
    "number": CodeInfo(400, REFUSED, "Number that is not a safe integer", _SAME_VERSION),
    "not-utf8": CodeInfo(400, REFUSED, "Not UTF-8", _SAME_VERSION),
    "surrogate": CodeInfo(400, REFUSED, "Lone surrogate in text", "rename the file whose name cannot be decoded"),
    "base64": CodeInfo(400, REFUSED, "Not canonical base64", _SAME_VERSION),
    "schema": CodeInfo(400, REFUSED, "Field missing, unknown or of the wrong kind", _SAME_VERSION),
    # RequestError: statement and manifest
    "payload-size": CodeInfo(413, REFUSED, "Statement too large", "shorten the gate's command or the author's name"),
    "statement-type": CodeInfo(422, REFUSED, "Not a release statement"),
    "statement-kind": CodeInfo(422, REFUSED, "Kind of release not known here", _SAME_VERSION),
    "subject": CodeInfo(400, REFUSED, "Not exactly one manifest as subject", _SAME_VERSION),
    "digest": CodeInfo(400, REFUSED, "Not a sha256 digest in lower case", _SAME_VERSION),
    "time": CodeInfo(400, REFUSED, "Not a time in UTC", _SAME_VERSION),
    "manifest-size": CodeInfo(413, REFUSED, "Manifest empty or too large", _SMALLER),
    "manifest-digest": CodeInfo(400, REFUSED, "Manifest is not the signed one", _ON_THE_WAY),
    "manifest-version": CodeInfo(422, REFUSED, "Manifest of another version", _SAME_VERSION),
    "too-many-modules": CodeInfo(413, REFUSED, "Too many modules", _SMALLER),
    "module-name": CodeInfo(
        403, REFUSED, "Not an acceptable module name", "rename the module to what Python can import"
    ),
    "blob-size": CodeInfo(413, REFUSED, "Blob empty or too large", _SMALLER),
    "total-size": CodeInfo(413, REFUSED, "Release too large", _SMALLER),
    "size-conflict": CodeInfo(400, REFUSED, "One digest with two sizes", _SAME_VERSION),
    # RequestError: HTTP
    "media-type": CodeInfo(415, REFUSED, "Wrong media type"),
    "content-encoding": CodeInfo(415, REFUSED, "Body must not be encoded"),
    "body-size": CodeInfo(413, REFUSED, "Body too large"),
    "body-timeout": CodeInfo(408, UNREACHABLE, "Body came too slowly"),
    "bad-query": CodeInfo(400, REFUSED, "Query that cannot be read"),
    "not-found": CodeInfo(404, REFUSED, "Nothing here", "the address ends with the receiver's prefix, /_habanero"),
    "method-not-allowed": CodeInfo(405, REFUSED, "Method not allowed", _SAME_VERSION),
    "too-many-failures": CodeInfo(429, REFUSED, "Too many failed pushes"),
    "wrong-host": CodeInfo(
        421, REFUSED, "Asked for under another name", "use the address that the server lists in HABANERO_ALLOWED_HOSTS"
    ),
    "busy": CodeInfo(503, REFUSED, "Another push is running"),
    # TrustError
    "unauthorized": CodeInfo(401, NOT_TRUSTED, "Not signed by who may"),
    "wrong-target": CodeInfo(403, NOT_TRUSTED, "Signed for another deployment"),
    "wrong-request": CodeInfo(
        403, NOT_TRUSTED, "Signed for another request", "look for a proxy that rewrites paths between you and the app"
    ),
    "expired": CodeInfo(403, NOT_TRUSTED, "Signature is too old"),
    "not-yet-valid": CodeInfo(403, NOT_TRUSTED, "Signature is from the future"),
    "window": CodeInfo(
        403, NOT_TRUSTED, "Signature would be valid for too long",
        "set the clocks of both machines by NTP, and use one version on both sides",
    ),
    "time-went-backwards": CodeInfo(403, NOT_TRUSTED, "Issued before the release that runs"),
    "role-missing": CodeInfo(403, NOT_TRUSTED, "Signed by who may not do this here"),
    "keys-unreadable": CodeInfo(503, UNREACHABLE, "Server cannot read whom it trusts"),
    "module-not-allowed": CodeInfo(403, REFUSED, "Module outside the allowed packages"),
    # ConflictError
    "base-mismatch": CodeInfo(409, REFUSED, "Made for other deployed code"),
    "not-next": CodeInfo(409, REFUSED, "Not the next release", "push again: it is compared with what runs now"),
    "frozen": CodeInfo(409, REFUSED, "Frozen"),
    "restores-mismatch": CodeInfo(409, REFUSED, "Not the code that it says it brings back"),
    "prune-refused": CodeInfo(409, REFUSED, "Would remove what is needed"),
    "python-mismatch": CodeInfo(409, REFUSED, "Built for another Python"),
    "base-changed": CodeInfo(409, REFUSED, "Deployed code changed on disk"),
    # SwapError
    "not-code": CodeInfo(400, REFUSED, "Blob is not a build"),
    "source-mismatch": CodeInfo(400, REFUSED, "Code is not that of its source"),
    "unknown-module": CodeInfo(422, REFUSED, "Deleted module does not exist"),
    "swap-refused": CodeInfo(422, REFUSED, "Live process cannot take the change"),
    "no-safe-point": CodeInfo(503, REFUSED, "No safe moment to commit"),
    "rolled-back": CodeInfo(500, ROLLED_BACK, "Change raised and was undone"),
    "dirty": CodeInfo(500, OUT_OF_STEP, "Change raised and could not be undone"),
    # StoreError
    "store": CodeInfo(503, UNREACHABLE, "Bucket cannot be used", "look at the disk and the rights of HABANERO_BUCKET"),
    "store-slow": CodeInfo(503, UNREACHABLE, "Bucket is too slow"),
    "store-key": CodeInfo(500, REFUSED, "Not the key of anything in a bucket", _OURS),
    "store-missing": CodeInfo(503, UNREACHABLE, "Bucket does not exist"),
    "store-not-exclusive": CodeInfo(500, REFUSED, "Bucket does not enforce create-only writes"),
    "store-no-bucket": CodeInfo(503, UNREACHABLE, "Store has no bucket of this name"),
    "store-denied": CodeInfo(503, UNREACHABLE, "Bucket refuses the server's credentials"),
    "store-unreachable": CodeInfo(503, UNREACHABLE, "Bucket's address does not answer"),
    "store-endpoint": CodeInfo(503, UNREACHABLE, "What answers is not the bucket's store"),
    "store-clock": CodeInfo(503, UNREACHABLE, "Bucket refuses the server's clock", "set the server's clock by NTP"),
    "store-timeout": CodeInfo(503, UNREACHABLE, "Bucket did not answer in time"),
    "journal-gap": CodeInfo(
        500, REFUSED, "Journal lacks an entry", "restore the bucket, or restart the servers to begin from what it holds"
    ),
    "journal-entry": CodeInfo(
        500, REFUSED, "Journal holds an entry that cannot follow", "move the named entry away, on the bucket"
    ),
    "base-unreadable": CodeInfo(500, REFUSED, "Deployed code cannot be read"),
    "journal-turned-back": CodeInfo(500, REFUSED, "Bucket no longer holds what ran here"),
    "copy-corrupt": CodeInfo(NOT_SENT, REFUSED, "Local copy that cannot be used", "it is made anew from the bucket"),
    "copy-missing": CodeInfo(NOT_SENT, UNREACHABLE, "No local copy", "it is made at the next start with the bucket up"),
    "condemned": CodeInfo(NOT_SENT, REFUSED, "Release that was withdrawn"),
    "store-corrupt": CodeInfo(500, REFUSED, "Bucket holds what was not put there", "restore the bucket, or push again"),
    "store-format": CodeInfo(500, REFUSED, "Bucket of an unknown version"),
    # on the laptop, before anything is signed or sent
    "bad-watch": CodeInfo(NOT_SENT, USAGE, "Entry of watch that cannot be watched"),
    "source-unreadable": CodeInfo(NOT_SENT, USAGE, "Source that cannot be read"),
    "watch-failed": CodeInfo(NOT_SENT, USAGE, "Files cannot be watched"),
    "syntax": CodeInfo(NOT_SENT, REFUSED, "Source that does not compile"),
    "gate-not-found": CodeInfo(NOT_SENT, USAGE, "Gate command that cannot be started"),
    "gate-log": CodeInfo(NOT_SENT, USAGE, "Gate output cannot be written"),
    "python-not-found": CodeInfo(NOT_SENT, REFUSED, "No Python here like the server's"),
    "builder-failed": CodeInfo(NOT_SENT, REFUSED, "Building ended without a result"),
    # any fault of ours
    "internal": CodeInfo(500, BUG, "Unexpected error", "the traceback tells where; report it, please"),
    # ConfigError: the server's settings
    "bad-setting": CodeInfo(
        NOT_SENT, USAGE, "Setting that cannot be used", "docs/how-it-works.md lists the settings and their forms"
    ),
    "bad-toml": CodeInfo(NOT_SENT, USAGE, "pyproject.toml cannot be used", "mend the file; nothing was read of it"),
    "bucket-url": CodeInfo(NOT_SENT, USAGE, "Bucket address that cannot be used"),
    "bucket-scheme": CodeInfo(NOT_SENT, USAGE, "Kind of bucket that is not supported"),
    "bucket-owner": CodeInfo(NOT_SENT, USAGE, "Bucket that belongs to another user"),
    "bucket-insecure": CodeInfo(NOT_SENT, USAGE, "Bucket behind plain http"),
    "stores-not-installed": CodeInfo(
        NOT_SENT, USAGE, "Object stores without their library", "pip install 'habanero-py[stores]'"
    ),
    "state-owner": CodeInfo(
        NOT_SENT, USAGE, "State folder that others can write", "name another folder in HABANERO_STATE"
    ),
    "misplaced": CodeInfo(500, REFUSED, "Packages come from other files than the base"),
    "command-not-found": CodeInfo(NOT_SENT, USAGE, "Command that cannot be started"),
    "usage": CodeInfo(NOT_SENT, USAGE, "Command line that cannot be used"),
    # ConfigError: trusted keys
    "trust-file": CodeInfo(
        NOT_SENT, USAGE, "File of trusted keys that cannot be trusted",
        "name a file that the server's user can read in HABANERO_TRUSTED_KEYS_FILE",
    ),
    "key-type": CodeInfo(NOT_SENT, USAGE, "Key of a kind that is not supported"),
    "key-line": CodeInfo(NOT_SENT, USAGE, "Line that is not a trusted key", "write: ana@laptop ssh-ed25519 AAAA…"),
    "key-options": CodeInfo(NOT_SENT, USAGE, "Option of a trusted key that is not supported", "give each option once"),
    "key-twice": CodeInfo(NOT_SENT, USAGE, "Trusted key listed twice"),
    "roles-line": CodeInfo(NOT_SENT, USAGE, "Line that gives no role"),
    "threshold": CodeInfo(
        NOT_SENT, USAGE, "Threshold that cannot be met",
        "HABANERO_THRESHOLD is a number from 1 to that of the trusted keys",
    ),
})
