"""Who may import whom: the rules of the layout, read from the sources themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECEIVER = ROOT / "receiver" / "habanero_receiver"
WATCHER = ROOT / "watcher" / "habanero_py"
RECEIVER_FILES = sorted(RECEIVER.rglob("*.py"))
WATCHER_FILES = sorted(WATCHER.rglob("*.py"))

MAY_KNOW = {
    # layer: what it may import of the receiver, beside itself
    "values": set(),
    "errors": {"values"},
    "release": {"errors", "values"},
    "swap": set(),
    "tasks": set(),
    "policy": {"errors", "release"},
    "trust": {"errors", "release", "policy", "values"},
    "journal": {"errors", "release", "trust", "swap", "values"},
    "overlay": {"swap", "values"},
    "entrance": {"errors", "values"},
    "keyring": {"errors", "release", "policy", "values"},
    "config": {"errors", "release", "journal", "trust", "entrance", "keyring", "values"},
    "processes": {"journal"},
    "starting": {"journal", "processes"},
    "verdicts": {"errors", "journal", "starting"},
    "boot": {
        "errors", "release", "swap", "trust", "journal", "overlay", "config", "processes", "starting", "verdicts",
        "entrance", "values",
    },
}
"""The layers with rules, from the ground up. Those not named are above all of these."""

WATCHER_MAY_KNOW = {"errors", "release", "policy", "trust", "swap", "journal", "run", "doctor", "fingerprint"}


ALSO_A_FORMAT = {"habanero_receiver.fleet", "habanero_receiver.fleet.heartbeat", "habanero_receiver.fleet.reports"}
"""What workers say of themselves in the bucket: pure, though it lies beside what acts."""


def imports_of(file: Path) -> set[str]:
    """Every module that a file imports, by its absolute name."""
    base = RECEIVER.parent if RECEIVER in file.parents else WATCHER.parent
    package = list(file.relative_to(base).with_suffix("").parts)[:-1]
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def layer_of(module: str) -> str:
    """The part of the receiver that a module belongs to, empty for the facade itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "habanero_receiver" and len(parts) > 1 else ""


@pytest.mark.parametrize("file", RECEIVER_FILES, ids=lambda f: f.relative_to(RECEIVER).as_posix())
def test_the_receiver_never_imports_the_watcher(file: Path) -> None:
    """A server installs without the laptop's dependencies, so nothing on it may know the laptop's side."""
    assert not {name for name in imports_of(file) if name.partition(".")[0] == "habanero_py"}


@pytest.mark.parametrize("layer", MAY_KNOW)
def test_a_layer_imports_only_what_is_below_it(layer: str) -> None:
    """Release and swap know nothing of each other; nothing knows what is above it."""
    files = sorted((RECEIVER / layer).rglob("*.py")) or [RECEIVER / f"{layer}.py"]
    known = {layer_of(name) for file in files for name in imports_of(file) if name.startswith("habanero_receiver.")}
    assert known - {layer} <= MAY_KNOW[layer]


def test_the_engine_needs_the_standard_library_alone() -> None:
    """The swap package can be used alone; its adapters look at libraries that the app has imported already."""
    for file in sorted((RECEIVER / "swap").rglob("*.py")):
        if "adapters" in file.parts:
            continue
        tops = {name.partition(".")[0] for name in imports_of(file)}
        assert tops <= set(sys.stdlib_module_names) | {"habanero_receiver"}, file.name


def test_building_knows_nothing_around_it() -> None:
    """It runs alone in an interpreter that has its folder and the standard library, and no more."""
    for file in sorted((RECEIVER / "swap" / "building").glob("*.py")):
        around = {name for name in imports_of(file) if name.startswith("habanero_receiver")}
        assert all(name.startswith("habanero_receiver.swap.building") for name in around), file.name


@pytest.mark.parametrize("file", WATCHER_FILES, ids=lambda f: f.relative_to(WATCHER).as_posix())
def test_the_watcher_knows_the_receivers_formats_alone(file: Path) -> None:
    """The laptop shares formats, units, errors and the rules of trust with the server, nothing that acts."""
    names = {name for name in imports_of(file) if name.startswith("habanero_receiver.") and name not in ALSO_A_FORMAT}
    assert {layer_of(name) for name in names} <= WATCHER_MAY_KNOW


def test_one_module_knows_the_http_client() -> None:
    """It can be replaced in one place."""
    knowing = [file.name for file in WATCHER_FILES if "httpx" in imports_of(file)]
    assert knowing == ["client.py"]


@pytest.mark.parametrize("module", ["habanero_receiver", "habanero_receiver.boot", "habanero_receiver.swap.image"])
def test_the_boot_path_imports_nothing_heavy(module: str) -> None:
    """A server's start pays neither for FastAPI nor for an HTTP client nor for the engine's search of the heap."""
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint(
        {"fastapi", "starlette", "httpx", "pydantic", "rich", "click", "habanero_receiver.swap.engine"}
    )


def test_the_public_names_are_pinned() -> None:
    """What a user may import from the top; a change here is a change of the API."""
    import habanero_receiver
    from habanero_receiver import swap

    assert set(habanero_receiver.__all__) == {"Receiver"}
    assert set(swap.__all__) == {
        "CommittedSwap", "ModuleImage", "ModuleReport", "Overlay", "Refusal", "StagedSwap", "SwapError",
        "SwapFailedError", "SwapRefusedError", "SwapReport", "SwapUndoError", "Swapper", "image_from_source",
    }  # fmt: skip
    for name in swap.__all__:
        assert getattr(swap, name) is not None
