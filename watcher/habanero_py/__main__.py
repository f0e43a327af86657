"""The entry point of `habanero-py`.

A server has the receiver's dependencies alone: `run` and `doctor --bucket` are taken to the receiver before the command
line's own libraries are imported, and without them every other command says what to install.
"""

from __future__ import annotations

import importlib.util
import sys

NEEDED = ("click", "httpx", "rich", "watchfiles", "bcrypt")


def main(words: list[str] | None = None) -> int:
    """Runs one command line (default: this process's) and gives its exit code."""
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["run"]:
        from habanero_receiver import run

        return run.main(words[1:])
    if words[:2] == ["doctor", "--bucket"]:
        from habanero_receiver import doctor

        return doctor.main(words[2:])
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"error[not-installed]: this installation is a server's, without {', '.join(missing)}\n"
            "  help: pip install 'habanero-py[watch]' (a server needs habanero-py run and doctor --bucket alone)\n"
        )
        return 2
    from habanero_py import cli

    return cli.main(words)


if __name__ == "__main__":
    sys.exit(main())
