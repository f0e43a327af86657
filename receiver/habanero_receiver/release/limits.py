"""The limit of every input, in one place, with its unit in its name.

Pure data. The rule it upholds: nothing is read, decoded or kept whose size was not bounded here first.
"""

from __future__ import annotations

from habanero_receiver.values import NamedTuple

MIB = 1024 * 1024


class Limits(NamedTuple):
    """How much of everything is accepted. The defaults suit every app that was measured, many times over."""

    max_envelope_bytes: int = 16_384
    max_payload_bytes: int = 4_096
    max_signatures: int = 16
    max_header_bytes: int = 8_192
    max_manifest_bytes: int = 8 * MIB
    max_modules: int = 5_000
    max_module_name_chars: int = 200
    max_text_chars: int = 500
    max_blob_bytes: int = 8 * MIB
    max_total_bytes: int = 64 * MIB
    max_json_depth: int = 16
    max_window_s: int = 3_600
    max_clock_skew_s: int = 60
    body_timeout_s: int = 10

    @property
    def max_body_bytes(self) -> int:
        """The largest push body that could be right: frame, envelope, manifest, and all blobs with their digests."""
        frame = 8 + 4 + 4 + 3 * self.max_modules * 32
        return frame + self.max_envelope_bytes + self.max_manifest_bytes + self.max_total_bytes


DEFAULT_LIMITS = Limits()
