"""click and typer: a command that is made again keeps its identity, and a group its commands.

A decorator that runs again makes another command object, while groups, other modules and the entry point of a console
script hold the first one: that takes over what the second one is. What a docstring says of a command follows it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from habanero_receiver.swap.kinds import instance_dict

from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_SINGLE = ("_result_callback", "registered_callback")
"""Those of which there is one, and which a decorator sets."""
_COLLECTED = ("commands", "registered_commands", "registered_groups", *_SINGLE)
"""What a group or typer app collects after it is made."""


class _Click(Adapter):
    library = "click"

    def kinds(self) -> Iterable[type]:
        made = (("click.core", "Command"), ("typer.main", "Typer"))
        found = (getattr(sys.modules.get(module), name, None) for module, name in made)
        return tuple(kind for kind in found if isinstance(kind, type))

    def forget(self, swap: Transaction, function: object) -> None:
        held = instance_dict(function) or {}  # options wait there for the command, and stay behind a wrapper of Flask's
        swap.log.delete_item(held, "__click_params__")
        for owner in (owner for kind in self.kinds() for owner in swap.living(kind)):
            collected = instance_dict(owner) or {}
            for name in _SINGLE:
                one = collected.get(name)
                if one is not None and (one is function or (instance_dict(one) or {}).get("callback") is function):
                    swap.log.set_item(collected, name, None)

    def replace(self, swap: Transaction, living: object, made: object) -> bool:
        if type(living) is not type(made) or not issubclass(type(made), tuple(self.kinds())):
            return False
        held, fresh = vars(living), vars(made)
        for name in [name for name in held if name not in fresh]:  # others set it, but for what is only remembered
            if isinstance(inspect.getattr_static(type(living), name, None), functools.cached_property):
                swap.log.delete_item(held, name)
        for name, value in fresh.items():
            if name not in _COLLECTED or not held.get(name):
                swap.log.set_item(held, name, value)
        return True

    def finish(self, swap: Transaction) -> None:
        kind = getattr(sys.modules.get("click.core"), "Command", None)
        for command in swap.living(kind):
            held = instance_dict(command) or {}
            text = swap.documented.get(id(inspect.unwrap(held["callback"]) if held.get("callback") else None))
            if text is not None and held.get("help") in (text["old"], inspect.cleandoc(text["old"] or "")):
                swap.log.set_item(held, "help", inspect.cleandoc(text["new"] or ""))


ADAPTER = _Click()
