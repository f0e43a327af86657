"""What an adapter is: how the engine learns what one library derived from the functions and classes of an app.

An adapter is a subclass of `Adapter` in a file of its own. It is loaded only when its library is already imported,
and asked only inside a commit. Whatever it changes it changes through ``swap.log``, so that the commit can be taken
back; what it raises fails the commit, and everything is as before.

The order of the calls: `begin`; then, as statements run, `forget` for each function whose decorators run again or that
goes away, and `reshape` for each class whose fields changed; then `finish`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


class Adapter:
    """One library's. Every method does nothing unless it is overridden."""

    library: str = ""
    """The top-level module whose presence says that the library is in use."""

    def begin(self, swap: Transaction) -> None:
        """Called before any statement of the new code runs, only if some will: let setup be done again, late."""

    def forget(self, swap: Transaction, function: object) -> None:
        """Called before ``function`` is registered again, or goes: drop what the library holds for it."""

    def reshape(self, swap: Transaction, cls: type, twin: type) -> None:
        """Called when the living ``cls`` has taken over what its new body derived, from a ``twin`` made of it."""

    def finish(self, swap: Transaction) -> None:
        """Called when everything was assigned and run: renew what was computed from ``swap.redefined`` and
        ``swap.reshaped``, and drop caches.
        """  # noqa: D205  # one sentence
