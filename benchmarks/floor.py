"""The least that a push can do: watch a folder, post the saved file to the app. Not a product; a floor."""

from __future__ import annotations

import http.client
import sys
from pathlib import Path

from watchfiles import watch


def main(folder: str, port: int) -> None:
    """Posts value.py at every change of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for changes in watch(folder, debounce=1, step=1, rust_timeout=1000):
        if any(path.endswith("value.py") for _, path in changes):
            connection.request("POST", "/floor", (Path(folder) / "value.py").read_bytes())
            connection.getresponse().read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
