"""The saves of some days, one after the other in one process: after each it does what a fresh process does.

Single swaps are tested elsewhere. Here the fiftieth counts: after refused ones, undone ones and exact reverts, with
objects that were held from the start.
"""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

import pytest
from living import LiveApp
from saves import BASE, USE, Days, Sources, some_days

from habanero_receiver.swap import CommittedSwap, SwapFailedError, SwapRefusedError

Start = Callable[[dict[str, str]], LiveApp]
FRESH = """
import importlib, json, sys
versions, root = json.load(sys.stdin), sys.argv[1]
sys.dont_write_bytecode = True
sys.path.insert(0, root)
exec(versions.pop(0))
from pathlib import Path
for version in versions:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bot"]:
        del sys.modules[name]
    for file in Path(root).rglob("*.py"):
        file.unlink()
    for name, text in version.items():
        file = Path(root, name.replace(".", "/") + ("__init__.py" if name.endswith("/") else ".py"))
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    importlib.invalidate_caches()
    print(json.dumps(use(importlib.import_module, {})))
"""


def _fresh(folder: Path, versions: list[Sources]) -> list[object]:
    """What `use` tells of each version when a process has imported nothing else."""
    folder.mkdir()
    given = json.dumps([USE, *({n: t for n, t in version.items() if t is not None} for version in versions)])
    command = [sys.executable, "-c", FRESH, str(folder)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _push(app: LiveApp, days: Days, after: Sources) -> CommittedSwap:
    known = {name for _, _, version in days.saves for name in version}
    gone = {name for name in known if after.get(name) is None}
    changed: Sources = {name: text for name, text in after.items() if text is not None and BASE.get(name) != text}
    paths = {name.rstrip("/") for name in after.keys() - gone}
    changed.update(dict.fromkeys(name for name in gone if name.rstrip("/") not in paths and name in BASE))
    return app.push(changed, fresh=True)


def _living(app: LiveApp) -> list[str]:
    gc.collect()
    found = (item for item in gc.get_objects() if type(item) is FunctionType)
    return sorted(item.__qualname__ for item in found if item.__code__.co_filename.startswith(str(app.root)))


@pytest.mark.heavy
def test_after_each_save_the_process_does_what_a_fresh_one_does(start: Start, tmp_path: Path) -> None:
    """What is held from the start too, twice over; what is refused or undone changes nothing; nothing adds up."""
    days = some_days()
    live = [version for _, kind, version in days.saves if kind == "live"]
    expected = dict(zip(map(str, live), _fresh(tmp_path / "fresh", live), strict=True))
    app = start({name: text for name, text in BASE.items() if text is not None})
    namespace: dict[str, Callable[..., object]] = {}
    exec(USE, namespace)
    held: dict[str, object] = {}
    use = namespace["use"]
    use(app.load, held)
    counts = []
    for _ in range(2):
        current = str(BASE)
        for title, kind, version in days.saves:
            if kind == "refused":
                before = app.picture()
                with pytest.raises((SwapRefusedError, SwapFailedError)):
                    _push(app, days, version)
                assert app.picture() == before, title
            elif kind == "live":
                _push(app, days, version)
                current = str(version)
            told = json.loads(json.dumps(use(importlib.import_module, held)))
            assert told == expected[current], title
        counts.append(_living(app))
    assert counts[0] == counts[1]
