"""Django: URL resolvers keep what they computed from ``urlpatterns``; after a swap they compute it again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_COMPUTED = ("url_patterns", "urlconf_module")
"""Cached properties of resolvers."""
_TABLES: dict[str, Any] = {
    "_reverse_dict": {},
    "_namespace_dict": {},
    "_app_dict": {},
    "_callback_strs": set(),
    "_populated": False,
}
"""What a resolver fills in when it is first asked, and its state before."""


class _Django(Adapter):
    library = "django"

    def finish(self, swap: Transaction) -> None:
        resolvers = sys.modules.get("django.urls.resolvers")
        urls = sys.modules.get("django.urls")
        if resolvers is None or urls is None:
            return
        swap.log.note((urls.clear_url_caches,))  # what is computed from the swapped patterns goes with them
        for resolver in _resolvers(swap, resolvers.URLResolver):
            held = vars(resolver)
            for name in _COMPUTED:
                swap.log.delete_item(held, name)
            for name, empty in _TABLES.items():
                if held.get(name):
                    swap.log.set_item(held, name, empty.copy() if isinstance(empty, (dict, set)) else empty)
        urls.clear_url_caches()


def _resolvers(swap: Transaction, kind: Any) -> Iterator[Any]:
    """Every resolver that the app's ``urlpatterns`` lead to."""
    waiting = [
        entry
        for module in swap.modules.values()
        if isinstance(patterns := vars(module).get("urlpatterns"), (list, tuple))
        for entry in patterns
    ]
    seen: set[int] = set()
    while waiting:
        entry = waiting.pop()
        if not isinstance(entry, kind) or id(entry) in seen:
            continue
        seen.add(id(entry))
        yield entry
        if isinstance(entry.urlconf_name, (list, tuple)):
            waiting.extend(entry.urlconf_name)


ADAPTER = _Django()
