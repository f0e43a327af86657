"""Answers requests for builds over pipes, for as long as they are open.

It runs in the interpreter whose bytecode is wanted, started by ``__main__``. The rule it upholds: an answer depends on
its request alone, since each is made by a child of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from typing import Any

from .compiler import build


def serve() -> None:
    """Answers requests on standard input until it ends, each from a child of its own.

    A request is a line of JSON ``{"optimize": n, "modules": [{"name", "path", "package", "size"}, ...]}`` and then the
    sources, one after the other. The answer is a line ``{"modules": [{"code": n, "units": n} | {"error": {"message",
    "line", "column", "text"}}]}`` and then the builds, of each its code and its units. The child makes the answer
    independent of what was built before.
    """
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    tag = {
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "magic": int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"),
        "version": sys.version.split()[0],
    }
    stdout.write(json.dumps(tag).encode() + b"\n")
    stdout.flush()
    while line := stdin.readline():
        request = json.loads(line)
        sources = [stdin.read(module["size"]) for module in request["modules"]]
        child = os.fork() if hasattr(os, "fork") else 0
        if child:
            _, status = os.waitpid(child, 0)
            if status:
                raise SystemExit(f"the build's child ended with status {status}")
            continue
        _answer(stdout, request, sources)
        stdout.flush()
        if hasattr(os, "fork"):
            os._exit(0)


def _answer(stdout: Any, request: dict[str, Any], sources: list[bytes]) -> None:
    heads: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for module, source in zip(request["modules"], sources, strict=True):
        try:
            built = build(source, module["name"], module["path"], module["package"], request.get("optimize", -1))
        except SyntaxError as error:
            place = {"line": error.lineno, "column": error.offset, "text": error.text}
            heads.append({"error": {"message": error.msg, **place}})
        else:
            heads.append({"code": len(built.code), "units": len(built.units)})
            blobs += built
    stdout.write(json.dumps({"modules": heads}).encode() + b"\n")
    for blob in blobs:
        stdout.write(blob)
