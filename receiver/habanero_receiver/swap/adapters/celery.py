"""Celery: a task that is made again keeps its identity and its place; workers and beat follow the registry.

Celery registers by name and keeps the first of a name, calls shared tasks into being in every app, and prepares each
task for its worker. None of that is told by what a decorator returns, a proxy. Messages that wait under a name that is
gone are refused by the worker, as after a restart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.finding.live import cell_content
from habanero_receiver.swap.undo import reorder, restore_mapping

from .protocol import Adapter, MemberChange, Objection

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_KEPT = ("request_stack", "__dict__", "__weakref__", "__module__", "__bound__")
"""What of a task's class belongs to the runs that are under way, or to Python."""

_TAKEN = frozenset({
    "name", "autoretry_for", "dont_autoretry_for", "retry_kwargs", "retry_backoff", "retry_backoff_max", "retry_jitter",
})  # fmt: skip
"""What of a task's class is read when the task is made, beside what the app's configuration gives."""
_HELP = "deploy this change with a restart"


class _Celery(Adapter):
    library = "celery"

    def __init__(self) -> None:
        self._before: dict[int, dict[str, Any]] = {}
        self._gone: dict[tuple[int, int], Any] = {}
        self._schedules: list[tuple[Any, dict[str, Any]]] = []

    def kinds(self) -> Iterable[type]:
        made = (("celery.worker.consumer.consumer", "Consumer"), ("celery.beat", "Scheduler"))
        found = (_attribute(module, name) for module, name in made)
        return tuple(kind for kind in found if isinstance(kind, type))

    def owns(self, cls: type) -> bool:
        return issubclass(cls, _attribute("celery.app.task", "Task") or ())

    def judge(self, change: MemberChange) -> Objection | None:
        taken = {attribute for attribute, _ in getattr(change.cls, "from_config", ())} | _TAKEN
        if change.name not in taken or change.kind == "function":
            return None
        verb = "added to" if change.added else "removed from" if change.removed else "changed in"
        what = f"{change.name} was {verb} task class {change.cls.__qualname__}"
        return Objection(f"{what}, whose tasks took it over", _HELP)

    def begin(self, swap: Transaction) -> None:
        self._before, self._gone = {}, {}
        schedulers = swap.living(_attribute("celery.beat", "Scheduler"))
        self._schedules = [(s, dict(s.app.conf.beat_schedule)) for s in schedulers]
        finalizers = sys.modules["celery._state"]._on_app_finalizers
        swap.log.note((_restore_set, finalizers, set(finalizers)))
        for app in _apps():
            tasks = dict(dict.items(app._tasks))
            self._before[id(app)] = tasks
            swap.log.note((reorder, app._tasks, list(tasks)))
            swap.log.note((restore_mapping, app._tasks, tasks))
            warned: set[str] = getattr(app, "_duplicate_task_names_warned", set())
            swap.log.note((_restore_set, warned, set(warned)))

    def forget(self, swap: Transaction, function: object) -> None:  # noqa: ARG002  # `begin` noted what undoes it
        function = _function_of(function)
        finalizers = sys.modules["celery._state"]._on_app_finalizers
        for callback in [c for c in finalizers if _closes_over(c, function)]:
            finalizers.discard(callback)
        for app in _apps():
            for name, task in list(dict.items(app._tasks)):
                if _function_of(task) is function:
                    self._gone[id(app), id(function)] = task
                    dict.pop(app._tasks, name)

    def replace(self, swap: Transaction, living: object, made: object) -> bool:
        local = sys.modules["celery.local"]
        if type(living) is type(made) and type(made) is local.Proxy:  # of a shared task: it looks the task up by name
            slot = local.Proxy.__dict__["_Proxy__local"]
            swap.log.do((slot.__set__, living, slot.__get__(made)), (slot.__set__, living, slot.__get__(living)))
            return True
        if issubclass(type(made), _attribute("celery.app.base", "Celery")) and type(living) is type(made):
            raise TypeError(f"the arguments of a Celery app changed, which workers hold; {_HELP}")
        task: Any = living
        if type(living) is local.PromiseProxy:
            task = task._get_current_object()
        if not all(issubclass(type(item), sys.modules["celery.app.task"].Task) for item in (task, made)):
            return False
        _take_over(swap, task, made)
        return True

    def finish(self, swap: Transaction) -> None:
        for app in _apps():
            before = self._before.get(id(app), {})
            fresh = {name: task for name, task in dict.items(app._tasks) if before.get(name) is not task}
            for name, made in fresh.items():
                task = made._get_current_object() if issubclass(type(made), sys.modules["celery.local"].Proxy) else made
                living = self._gone.pop((id(app), id(_function_of(made))), task)
                if living is not task:
                    _take_over(swap, living, task)
                dict.__setitem__(app._tasks, name, living)
            _keep_places(app._tasks, before)
            gone = before.keys() - app._tasks.keys()
            if fresh or gone:
                _tell_workers(swap, app, fresh.keys(), gone)
        for scheduler, old in self._schedules:
            _tell_beat(swap, scheduler, old)
        self._before, self._gone, self._schedules = {}, {}, []


def _apps() -> list[Any]:
    """Every living app. Tasks are made by an app that is finalized; others make them when they are."""
    return [app for app in list(sys.modules["celery._state"]._apps) if app.finalized]


def _function_of(task: Any) -> object:
    """The function that a task, or what was made of it, runs."""
    local = sys.modules["celery.local"]
    if issubclass(type(task), local.Proxy):
        task = task._get_current_object() if type(task) is local.PromiseProxy else None
    if not issubclass(type(task), sys.modules["celery.app.task"].Task):
        return task
    held = vars(type(task))
    run = held.get("_decorated_fun") or held.get("run")
    return getattr(run, "__func__", run)


def _closes_over(callback: Any, function: object) -> bool:
    """Whether a finalizer, or what it calls, makes a task of the function."""
    cells = callback.__closure__ or () if isinstance(callback, FunctionType) else ()
    return any(content is function for cell in cells for content in cell_content(cell))


def _take_over(swap: Transaction, living: Any, made: Any) -> None:
    """Has the task that others hold become the one that was made in its place."""
    cls, twin = type(living), type(made)
    if cls.__bases__ != twin.__bases__:
        swap.log.set_attribute(cls, "__bases__", twin.__bases__)
    for name in [name for name in vars(cls) if name not in vars(twin) and name not in _KEPT]:
        swap.log.delete_class_attribute(cls, name)
    for name, value in list(vars(twin).items()):
        if name not in _KEPT:
            swap.log.set_class_attribute(cls, name, value)
    for name in [name for name in vars(living) if name not in vars(made)]:
        swap.log.delete_item(vars(living), name)
    for name, value in list(vars(made).items()):
        swap.log.set_item(vars(living), name, value)


def _keep_places(tasks: Any, before: dict[str, Any]) -> None:
    """A renamed task stands where the one of the old name stood."""
    order, places = list(before), {id(task): name for name, task in before.items()}
    for name, task in dict.items(tasks):
        old = places.get(id(task))
        if old is not None and old != name and old in order:
            order[order.index(old)] = name
    reorder(tasks, order)


def _tell_workers(swap: Transaction, app: Any, changed: Iterable[str], gone: Iterable[str]) -> None:
    """Prepares changed tasks as a worker prepares all of them when it starts, in its main process and its children."""
    trace = sys.modules.get("celery.app.trace")
    running = swap.living(_attribute("celery.worker.consumer.consumer", "Consumer"))
    consumers = [consumer for consumer in running if consumer.app is app]
    localized = trace is not None and trace._localized and trace._localized[0] is app._tasks
    for name in changed:
        task = app._tasks[name]
        if trace is not None and (consumers or localized):
            hostname = consumers[0].hostname if consumers else trace._localized[2]
            tracer = trace.build_tracer(name, task, app.loader, hostname, app=app)
            swap.log.set_item(vars(task), "__trace__", tracer)
        for consumer in consumers:
            swap.log.set_item(consumer.task_buckets, name, consumer.bucket_for_task(task))
            swap.log.set_item(consumer.strategies, name, task.start_strategy(app, consumer))
    for consumer in consumers:
        for name in gone:
            swap.log.delete_item(consumer.strategies, name)


def _tell_beat(swap: Transaction, scheduler: Any, old: dict[str, Any]) -> None:
    """Gives a scheduler that runs in this process what changed of the configured schedule; when it ran last stays."""
    new, entries = scheduler.app.conf.beat_schedule, scheduler.schedule
    swap.log.note((restore_mapping, entries, dict(entries)))
    for name in old.keys() | new.keys():
        if name not in new:
            entries.pop(name, None)
        elif old.get(name) != new[name]:
            had = entries.get(name)
            ran = {"last_run_at": had.last_run_at, "total_run_count": had.total_run_count} if had is not None else {}
            entries[name] = scheduler.Entry(**{**new[name], "name": name, "app": scheduler.app, **ran})


def _attribute(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def _restore_set(members: set[Any], old: set[Any]) -> None:
    members.clear()
    members.update(old)


ADAPTER = _Celery()
