"""Tables inside tables that a registry made when it was first asked for them, and that hold nothing any more.

A fresh process has no such table. The rule that it upholds: only what a ``defaultdict`` can make again goes, so who
asks for it finds what it found; an empty list in a plain dictionary may have been written there, and stays.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from habanero_receiver.swap.finding.graph import Graph
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog, reorder


def drop_emptied(log: UndoLog, graph: Graph, container: Any) -> None:
    """Takes a container out of the tables that hold it, if it is empty and they would make another; these as well."""
    if len(container):
        return
    for table in graph.held_by(container):
        if is_a(table, defaultdict) and table.default_factory is not None:
            log.note((reorder, table, list(table)))
            for key in [key for key, value in table.items() if value is container]:
                log.delete_item(table, key)
                drop_emptied(log, graph, table)
