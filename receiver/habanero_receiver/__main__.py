"""`python -m habanero_receiver run -- command …`, for servers: `habanero-py run` without the rest of the command.

It knows `run` alone and leaves everything to `habanero_receiver.run`.
"""

from __future__ import annotations

import sys

from habanero_receiver import run


def main(words: list[str]) -> int:
    """Run the command line `words`; gives the exit code."""
    if words[:1] != ["run"]:
        asked = words[:1] in (["-h"], ["--help"])
        (sys.stdout if asked else sys.stderr).write(run.USAGE.replace("habanero-py", "python -m habanero_receiver"))
        return 0 if asked else 2
    return run.main(words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
