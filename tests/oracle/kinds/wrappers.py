"""Decorators of the app and of the standard library, and registries that they fill."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, body, kind, literal


@kind("decorated", "function", suffixes=("_wrap",))
def decorated(s: Statement) -> str:
    n = s.numbers
    wrap = (f"@{s.name}_wrap\n", f"@functools.cache\n@{s.name}_wrap\n", "@functools.cache\n", f"@functools.wraps({s.name}_wrap)\n")[n[0]]
    return (f"def {s.name}_wrap(function):\n    @functools.wraps(function)\n    def wrapper(*args, **kwargs):\n"
            f"        return ({n[1]}, function(*args, **kwargs))\n{'    wrapper.calls = []' if n[4] == 3 else ''}\n    return wrapper\n\n\n"
            f"{wrap}def {s.name}():\n{body(s)}")  # fmt: skip


@kind("wrapper", "decorator")
def wrapper(s: Statement) -> str:
    """A decorator of the app, alone."""
    n = s.numbers
    if n[0] < 2:
        copies = "    @functools.wraps(function)\n" if n[3] < 3 else ""
        return (f"def {s.name}(function):\n{copies}    def around(*args, **options):\n        return ({n[1]}, {s.reads[0]}, function(*args, **options))\n"
                + (f"    around.mark = {n[2]}\n" if n[4] > 1 else "") + "    return around\n")  # fmt: skip
    if n[0] == 2:
        return f"def {s.name}(function):\n    function.mark = ({n[1]}, {s.reads[0]})\n    return function\n"
    return (f"class {s.name}:\n    def __init__(self, function):\n        functools.update_wrapper(self, function)\n        self.function = function\n"
            f"    def __call__(self, *args, **options):\n        return ({n[1]}, self.function(*args, **options))\n")  # fmt: skip


@kind("wrapped", "function", needs="decorator")
def wrapped(s: Statement) -> str:
    """Wrapped by a decorator of the app, or not, or by two."""
    n, w = s.numbers, s.reads[1]
    lines = (f"@{w}\n", "", f"@{w}\n@{w}\n", f"@functools.lru_cache\n@{w}\n")[n[0]]
    return f"{lines}def {s.name}():\n{body(s)}"


@kind("parametrised", "function", suffixes=("_with",))
def parametrised(s: Statement) -> str:
    """A decorator with arguments, which may be a constant's."""
    n = s.numbers
    arguments = (f"{n[1]}", f"{s.reads[0]}", f"times={n[1]}", "")[n[4]]
    return (f"def {s.name}_with(times=1):\n    def decorate(function):\n        @functools.wraps(function)\n        def wrapper(*args):\n"
            f"            return (times, function(*args))\n        return wrapper\n    return decorate\n\n\n"
            f"@{s.name}_with({arguments})\ndef {s.name}():\n{body(s)}")  # fmt: skip


@kind("registry", "registry", suffixes=("_add", "_all", "_order"))
def registry(s: Statement) -> str:
    n = s.numbers
    key = (f"'{s.name}'", "'fixed'", s.reads[0], f"{n[1]}")[n[0]]
    second = f"@{s.name}_add('second')\ndef {s.name}_second():\n    return {n[4]}\n" if n[3] else ""
    return (f"{s.name}_all = {{}}\n{s.name}_order = []\n\n\ndef {s.name}_add(key, *marks):\n    def take(function):\n"
            f"        {s.name}_all[key] = function\n        {s.name}_order.append((key, function, marks))\n"
            f"        return function\n    return take\n\n\n@{s.name}_add({key}, {n[2]})\ndef {s.name}():\n{body(s)}\n\n{second}")  # fmt: skip


@kind("registered", "function", needs="registry")
def registered(s: Statement) -> str:
    return f"@{s.reads[1]}_add({s.name!r}, {s.numbers[1]})\ndef {s.name}():\n{body(s)}"


@kind("hub", "hub")
def hub(s: Statement) -> str:
    """An object of the app with a method that registers."""
    n = s.numbers
    stored = ("self.handlers.append(function)", "self.handlers.append((function.__name__, function))",
              "self.handlers.insert(0, function)", "self.handlers.append(function)")[n[0]]  # fmt: skip
    return (f"class {s.name}_Hub:\n    def __init__(self, size={n[1]}):\n        self.size = size\n        self.handlers = []\n"
            f"    def on(self, function):\n        {stored}\n        return function\n    def fire(self):\n"
            f"        return ({n[2]}, self.size, len(self.handlers))\n\n\n{s.name} = {s.name}_Hub({n[3]})\n")  # fmt: skip


@kind("handler", "function", needs="hub")
def handler(s: Statement) -> str:
    n = s.numbers
    return f"{('@' + s.reads[1] + '.on', '@' + s.reads[1] + '.on', '', '@functools.cache')[n[0]]}\ndef {s.name}():\n{body(s)}"


@kind("class decorator", "class decorator", suffixes=("_made",))
def class_decorator(s: Statement) -> str:
    n = s.numbers
    done = ("cls.tag = " + literal(n[1]), f"{s.name}_made.append(cls)", f"{s.name}_made.append(cls.__name__)",
            f"cls.extra = lambda self: ({n[1]}, {s.reads[0]})")[n[0]]  # fmt: skip
    return f"{s.name}_made = []\n\n\ndef {s.name}(cls):\n    {done}\n    return cls\n"


@kind("decorated class", "class", needs="class decorator")
def decorated_class(s: Statement) -> str:
    n, w = s.numbers, s.reads[1]
    lines = (f"@{w}\n", "", f"@{w}\n", f"@functools.total_ordering\n@{w}\n")[n[0]]
    order = "    def __lt__(self, other):\n        return False\n    def __eq__(self, other):\n        return self is other\n    __hash__ = None\n" if n[0] == 3 else ""
    return f"{lines}class {s.name}:\n    size = {literal(n[1])}\n    def get(self):\n        return ({n[2]}, {s.reads[0]})\n{order}"
