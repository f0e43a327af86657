"""What an adapter is: how the engine learns what one library derived from the functions and classes of an app.

An adapter is a subclass of `Adapter` in a file of its own, loaded only when its library is already imported. While a
swap is staged it says which objects it will need, and refuses what a living process cannot take; it changes nothing
then. Inside the commit, whatever it changes it changes through ``swap.log``, so that the commit can be taken back; what
it raises fails the commit, and everything is as before.

The order of the calls: `kinds`, `owns` and `judge` while staging; then, only if some statement runs, `begin`; as
statements run, `forget` for each function whose decorators run again or that goes away, `replace` for each object that
was made again, `succeed` for each kept function whose decorators were given what is another now, and `reshape` for each
class whose fields changed; then `finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member of a living class whose statement changed, came or went."""

    cls: type
    name: str
    """The name that it binds; of several the first, empty if none."""
    kind: str
    """What the statement is: "function", "class", "assign" or "other"."""
    added: bool
    removed: bool
    evaluate: Callable[[], object]
    """Runs the new statement out of sight and returns what it binds, or the annotation if it binds nothing; None for
    one that is removed. It raises what the statement raises."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a swap is refused, and what to do instead."""

    reason: str
    help: str


class Adapter:
    """One library's. Every method does nothing unless it is overridden."""

    library: str = ""
    """The top-level module whose presence says that the library is in use."""

    def kinds(self) -> Iterable[type]:
        """Classes of the library whose living objects ``swap.living`` is to know, wherever the app holds them.

        Asked while staging, if statements will run: the heap is searched for them then, never inside the commit.
        """
        return ()

    def compared(self) -> Iterable[type]:
        """Those of `kinds` of which `replace` looks at ``swap.earlier``: what the older form of the statement makes.

        Asked at the start of the commit.
        """
        return ()

    def handed_on(self, value: object) -> Iterable[object]:  # noqa: ARG002  # as below
        """Called in the commit: the functions and views that a call registers which is given ``value``, one of `kinds`.

        They are then in the tables of what is called where that statement stands: ``app.register_blueprint(value)``.
        """
        return ()

    def owns(self, cls: type) -> bool:  # noqa: ARG002  # for those that override it
        """Whether the library read the body of the app's class ``cls`` when it was made, so that `judge` must say
        which changes of its members it can take. Otherwise the engine decides.
        """  # noqa: D205  # one sentence
        return False

    def judge(self, change: MemberChange) -> Objection | None:
        """Called while staging for each changed member of a class that it `owns`: an objection refuses the swap."""

    def begin(self, swap: Transaction) -> None:
        """Called before any statement of the new code runs, only if some will: let setup be done again, late."""

    def forget(self, swap: Transaction, function: object) -> None:
        """Called before ``function`` is registered again, or goes: drop what the library holds for it."""

    def replace(self, swap: Transaction, living: object, made: object) -> bool:  # noqa: ARG002  # as above
        """Called when a statement or decorator that ran again ``made`` an object where ``living`` was bound.

        Returns whether ``living``, which others may hold, has taken over what was made: it then stays bound, and
        stands in registries where the new one was put.
        """
        return False

    def succeed(self, swap: Transaction, function: object, successors: Mapping[int, tuple[object, object]]) -> bool:  # noqa: ARG002  # as above
        """Called when names that decorators of ``function`` read, which are not applied again, are bound to others.

        ``successors`` gives what each was bound to and is bound to now, by the identity of the former. Returns whether
        what the library holds for the function has taken all of them over; else it is named as stale.
        """
        return False

    def reshape(self, swap: Transaction, cls: type, twin: type) -> None:
        """Called when the living ``cls`` has taken over what its new body derived, from a ``twin`` made of it."""

    def finish(self, swap: Transaction) -> None:
        """Called when everything was assigned and run: renew what was computed from ``swap.redefined`` and
        ``swap.reshaped``, and drop caches.
        """  # noqa: D205  # one sentence
