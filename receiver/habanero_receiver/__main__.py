"""`python -m habanero_receiver run -- command …`, `… doctor [URL]`, `… fingerprint`: servers have no other command.

It knows these three alone, and leaves everything to the modules of their names.
"""

from __future__ import annotations

import sys

from habanero_receiver import run

USAGE = (
    "usage: python -m habanero_receiver run -- command [argument ...]\n"
    "       python -m habanero_receiver doctor [URL] [--json]\n"
    "       python -m habanero_receiver fingerprint [--write FILE]\n"
)


def main(words: list[str]) -> int:
    """Run the command line `words`; gives the exit code."""
    if words[:1] == ["run"]:
        return run.main(words[1:])
    if words[:1] == ["doctor"]:
        from habanero_receiver import doctor

        return doctor.main(words[1:])
    if words[:1] == ["fingerprint"]:
        from habanero_receiver import fingerprint

        return fingerprint.main(words[1:])
    asked = words[:1] in (["-h"], ["--help"])
    (sys.stdout if asked else sys.stderr).write(USAGE)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
