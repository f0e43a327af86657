"""pydantic: a model whose fields changed is compiled again in place, and so is all that holds it.

That is models with fields of it, generic models with their parameters filled in, and type adapters, wherever the app
has them.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
import typing
from collections.abc import Iterable
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.finding.live import cell_content, subclasses
from habanero_receiver.swap.kinds import instance_dict
from habanero_receiver.swap.undo import restore_class, restore_mapping

from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_COMPILED = ("__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__")


class _Pydantic(Adapter):
    library = "pydantic"

    def kinds(self) -> Iterable[type]:
        kind = getattr(sys.modules.get("pydantic.type_adapter"), "TypeAdapter", None)
        return () if kind is None else (kind,)

    def reshape(self, swap: Transaction, cls: type, twin: type) -> None:
        if _is_model(cls):
            for name, value in list(vars(cls).items()):
                if type(value).__name__ == "PydanticDescriptorProxy":  # of a validator that is new to the class
                    swap.log.set_class_attribute(cls, name, vars(twin)[name])
            decorators = vars(twin)["__pydantic_decorators__"]
            swap.log.set_class_attribute(cls, "__pydantic_decorators__", _bound_to(decorators, cls))
            _compile(swap, cls)
            for model in _models(swap):  # before classes that inherit from one are made again
                if _fills_in(model, [cls]):
                    _fill_in(swap, model)

    def finish(self, swap: Transaction) -> None:
        _revalidate(swap)
        if not swap.reshaped:
            return
        models = [m for m in _models(swap) if m not in swap.reshaped]
        changed: list[type] = list(swap.reshaped)
        while holders := [m for m in models if m not in changed and (_fills_in(m, changed) or _holds(m, changed))]:
            for model in holders:
                if _fills_in(model, changed):
                    _fill_in(swap, model)
            changed += holders
        _compile_again(swap, changed)
        swap.reshaped += changed[len(swap.reshaped) :]
        _name_heirs(swap, models, changed)
        for kind in self.kinds():
            for adapter in swap.living(kind):
                _rebuild(swap, adapter, changed)


def _is_model(cls: Any) -> bool:
    return "__pydantic_decorators__" in vars(cls) and hasattr(cls, "model_rebuild")


def _models(swap: Transaction) -> list[type]:
    base = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    found: list[type] = []
    waiting = [base] if base is not None else []
    while waiting:
        below = subclasses(waiting.pop())
        waiting += below
        found += [cls for cls in below if cls.__module__ in swap.modules and cls not in found]
    return found


def _holds(model: Any, changed: list[type]) -> bool:
    fields = vars(model).get("__pydantic_fields__", {})
    return any(_mentions(field.annotation, changed) for field in fields.values())


def _mentions(annotation: Any, changed: list[type]) -> bool:
    if isinstance(annotation, type) and annotation in changed:
        return True
    return any(_mentions(part, changed) for part in typing.get_args(annotation))


def _fills_in(model: Any, changed: list[type]) -> bool:
    """Whether the model is a changed generic one with its parameters filled in."""
    return vars(model).get("__pydantic_generic_metadata__", {}).get("origin") in changed


def _fill_in(swap: Transaction, model: Any) -> None:
    """Takes over the fields and validators of the generic model that this one is made of."""
    filled = vars(model)["__pydantic_generic_metadata__"]
    origin = filled["origin"]
    given = dict(zip(vars(origin)["__pydantic_generic_metadata__"]["parameters"], filled["args"], strict=True))
    replace_types: Any = import_module("pydantic._internal._generics").replace_types
    fields = {name: copy.copy(field) for name, field in vars(origin)["__pydantic_fields__"].items()}
    for field in fields.values():
        field.annotation = replace_types(field.annotation, given)
    decorators: Any = type(vars(model)["__pydantic_decorators__"])
    swap.log.set_class_attribute(model, "__pydantic_fields__", fields)
    swap.log.set_class_attribute(model, "__pydantic_decorators__", decorators.build(model))


def _revalidate(swap: Transaction) -> None:
    """Functions that check what they are called with follow their annotations and the models that these name."""
    checkers = sys.modules.get("pydantic._internal._validate_call")
    if checkers is None or not (swap.redefined or swap.reshaped):
        return
    changed = {id(function) for function in swap.redefined}
    wrapped = (value for module in swap.modules.values() for value in list(vars(module).values()))
    for wrapper in (value for value in wrapped if "raw_function" in (instance_dict(value) or {})):
        function = wrapper.raw_function
        cells = getattr(wrapper, "__closure__", None) or ()
        makers = (getattr(held, "__self__", held) for cell in cells for held in cell_content(cell))
        checker = next((item for item in makers if isinstance(item, checkers.ValidateCallWrapper)), None)
        named = function.__annotations__.values() if isinstance(function, FunctionType) else ()
        if checker is not None and (id(function) in changed or any(_mentions(a, swap.reshaped) for a in named)):
            for name in ("__pydantic_validator__", "__return_pydantic_validator__", "__pydantic_complete__"):
                if hasattr(checker, name):
                    swap.log.note((setattr, checker, name, getattr(checker, name)))
            checker._create_validators()


def _compile_again(swap: Transaction, changed: list[type]) -> None:
    """Compiles those of ``changed`` that were not, or before what they hold: a model has a copy of what it holds.

    All are taken apart first, and what is held comes before what holds it, so that no copy is of an older form.
    """
    models = [model for model in changed if _is_model(model)]
    done = {model: place for place, model in enumerate(swap.reshaped)}
    held = {model: [other for other in models if other is not model and _holds(model, [other])] for model in models}
    due = {model: None for model in models if model not in done}
    while more := [
        model
        for model in models
        if model not in due and any(other in due or done[other] > done[model] for other in held[model])
    ]:
        due.update(dict.fromkeys(more))
    for model in due:
        _take_apart(swap, model)
    while due:
        free = [model for model in due if not any(other in due for other in held[model])]
        for model in free or [next(iter(due))]:  # models that hold each other come in any order
            del due[model]
            _compile(swap, model)


def _name_heirs(swap: Transaction, models: list[type], changed: list[type]) -> None:
    """Names models that inherit from a changed one and have no statement of their own, as ``create_model`` makes."""
    for model in models:
        if model in changed or not any(base in swap.reshaped for base in model.__bases__):
            continue
        for name, value in list(vars(swap.modules[model.__module__]).items()):
            if value is model:
                why = f"it was made of {model.__bases__[0].__name__}, which changed"
                swap.report.of(model.__module__).note_stale(name, why)


def _rebuild(swap: Transaction, adapter: Any, changed: list[type]) -> None:
    """Of the app's own adapters; those of a library, such as FastAPI's, are part of what that renews itself."""
    held = vars(adapter)
    module = swap.modules.get(held.get("_module_name", ""))
    if module is not None and _mentions(held.get("_type"), changed) and hasattr(adapter, "rebuild"):
        swap.log.note((restore_mapping, held, dict(held)))
        adapter.rebuild(force=True, _types_namespace=vars(module))


def _bound_to(decorators: Any, cls: type) -> Any:
    """The table of validators and serializers, of the functions of the living class."""
    tables = {}
    for field in dataclasses.fields(decorators):
        table = getattr(decorators, field.name)
        tables[field.name] = {
            name: entry.build(cls, cls_var_name=entry.cls_var_name, shim=entry.shim, info=entry.info)
            for name, entry in table.items()
        }
    return type(decorators)(**tables)


def _compile(swap: Transaction, model: Any) -> None:
    _take_apart(swap, model)
    model.model_rebuild(force=True, _types_namespace=vars(swap.modules[model.__module__]))


def _take_apart(swap: Transaction, model: Any) -> None:
    """Drops what is compiled. To be compiled again, a model's computed fields are told what they return: noted too."""
    swap.log.note((restore_class, model, dict(vars(model))))
    for entry in vars(model)["__pydantic_decorators__"].computed_fields.values():
        swap.log.note((setattr, entry, "info", entry.info))
    for name in _COMPILED:
        if name in vars(model):
            type.__delattr__(model, name)


ADAPTER = _Pydantic()
