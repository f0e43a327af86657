"""What each process of the fleet runs, module by module, told from its live modules and not from what it recorded.

    one worker       writes a question into the bucket     `ask`
    every worker     looks at itself and answers           `answer_news`, by its heart, within a second or so
    the one          reads the answers                     `answers`

What it does: for each module of base and release, the sha256 of the source that the live module was found to be
(`swap.witness`), or what deviates: bytecode on the disk that is not of its source does so too. What it does not: it
judges nothing, and changes no code. An answer is as good as the process that gives it and the bucket that it goes
through: it finds mistakes, not a process that lies.

The rule it upholds: a module is of a version only if what is live says so; where nothing in it can be compared, the
answer says that too (`compared` is 0).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from typing import TYPE_CHECKING, Any

from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal import bytecode
from habanero_receiver.swap import witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from habanero_receiver.fleet.heartbeat import Beat
    from habanero_receiver.fleet.node import Node
    from habanero_receiver.swap import ModuleImage

MAX_DEVIATIONS = 5
"""How many a module's answer names."""
_TRIES = 3


def inspect(node: Node) -> dict[str, Any]:
    """What this process runs: {"running": number or None, "modules": {name: finding}}.

    A finding has "source" (the sha256 that was found, None when the live module is no known version), "loaded",
    "compared" (how many functions and constants) and "deviating" (a few of them, in words).
    """
    for _ in range(_TRIES):
        generation = node.swapper.generation
        found = {"running": node.running_seq, "modules": _modules(node)}
        if node.swapper.generation == generation:
            break  # no swap came in between
    return found


def _modules(node: Node) -> dict[str, Any]:
    overlay = node.swapper.overlay
    loaded = {name: module for name, module in list(sys.modules.items()) if node.swapper.is_own(name)}
    own = frozenset(loaded)
    names = {*node.base.modules, *overlay}
    found = {}
    for name in sorted(names | _strangers(node, loaded, names)):
        module = loaded.get(name)
        finding = _unloaded(node, name) if module is None else _loaded(node, name, module, overlay.get(name), own)
        found[name] = finding if name in node.overlay.images else _by_its_bytecode(node, name, finding)
    return found


def _by_its_bytecode(node: Node, name: str, finding: dict[str, Any]) -> dict[str, Any]:
    """The finding for a module of the disk, unless Python has bytecode for it that is not of its source.

    What such a module runs cannot be told from what is live alone: values that it computed have no code to compare.
    """
    file = node.base.modules.get(name)
    cached = None if file is None else bytecode.foreign(file.file)
    if cached is None:
        return finding
    told = f"it runs other code than its source, now or from its next import on: {cached} is of another source"
    return finding | {"source": None, "deviating": [told, *finding["deviating"]][:MAX_DEVIATIONS]}


def _strangers(node: Node, loaded: Mapping[str, ModuleType], names: Iterable[str]) -> set[str]:
    """Loaded modules from Python files below the base's root that neither the base nor the release has."""
    files = {name: getattr(module, "__file__", None) or "" for name, module in loaded.items() if name not in names}
    root = f"{node.base.root}/"
    return {name for name, file in files.items() if file.startswith(root) and file.endswith(".py")}


def _loaded(
    node: Node, name: str, module: ModuleType, wanted: ModuleImage | None, own: frozenset[str]
) -> dict[str, Any]:
    first: witness.Finding | None = None
    for source, version in _versions(node, name, wanted):
        finding = witness.compare(module, version, own)
        if not finding.deviating:
            return _said(source, loaded=True, compared=finding.functions + finding.constants)
        first = first or finding
    deviating = ("neither the base nor the release has this module",) if first is None else first.deviating
    return _said(None, loaded=True, deviating=deviating)


def _versions(node: Node, name: str, wanted: ModuleImage | None) -> Iterator[tuple[bytes, witness.Version]]:
    """What the module may be, likeliest first. Building the base's image is put off: it is slow and rarely needed."""
    if wanted is not None:
        yield wanted.source, witness.Version.of_image(wanted)
    source = node.base_source(name)
    if source is not None:
        yield source, witness.Version.of_source(source)
    image = node.swapper.base(name)
    if image is not None:
        yield image.source, witness.Version.of_image(image)


def _unloaded(node: Node, name: str) -> dict[str, Any]:
    """A module that an import would bring: from the overlay, else from the disk as it is now."""
    if name in node.overlay.images:
        image = node.overlay.images[name]
        return _said(None if image is None else image.source, loaded=False)
    try:
        return _said(node.base.source(name), loaded=False)
    except HabaneroError as error:
        return _said(None, loaded=False, deviating=(error.message,))


def _said(source: bytes | None, *, loaded: bool, compared: int = 0, deviating: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "source": None if source is None else hashlib.sha256(source).hexdigest(),
        "loaded": loaded,
        "compared": compared,
        "deviating": list(deviating[:MAX_DEVIATIONS]),
    }


def ask(node: Node) -> str:
    """Put a new question to every worker, answer it for this one; gives what its answers carry."""
    nonce = secrets.token_hex(16)
    node.journal.ask(json.dumps({"v": 1, "nonce": nonce}).encode())
    _answer(node, nonce)
    return nonce


def answer_news(node: Node) -> None:
    """Answer the newest question, if it was not answered yet. Reads one key."""
    nonce = _nonce(node.journal.question())
    if nonce and nonce != node.answered:
        _answer(node, nonce)


def _answer(node: Node, nonce: str) -> None:
    node.answered = nonce
    node.journal.put_answer(node.beat_now().name, json.dumps({"v": 1, "nonce": nonce, **inspect(node)}).encode())


def answers(node: Node, nonce: str, beats: Iterable[Beat]) -> dict[str, Mapping[str, Any]]:
    """What those workers answered to this question, by the name of their heartbeat."""
    found = {}
    for beat in beats:
        answer = _parsed(node.journal.answer(beat.name))
        if answer.get("nonce") == nonce:
            found[beat.name] = answer
    return found


def _nonce(question: bytes | None) -> str:
    nonce = _parsed(question).get("nonce", "")
    return nonce if isinstance(nonce, str) else ""


def _parsed(data: bytes | None) -> Mapping[str, Any]:
    """Decode what anyone may have written: a dictionary, empty for anything else."""
    try:
        parsed = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
