"""The work that a made-up app is put to: source that runs in the processes of a step, never here.

`USE` calls what can be called without arguments and tells the results in plain values; what a call makes is kept alive.
What touches state is called and not told. `FRAMEWORKS` sends requests and runs commands beside that.
"""

from __future__ import annotations

USE = '''
import collections.abc, itertools, types

def use(modules):
    told = {}
    for module in sorted(modules):
        for name, value in sorted(vars(modules[module]).items()):
            if name.startswith("__") or isinstance(value, types.ModuleType):
                continue
            if not callable(value) or getattr(value, "__module__", None) not in modules:
                continue
            result = _called(modules[module].__dict__.setdefault("_kept_by_use", []), value)
            if not name.endswith("_count"):
                told[f"{module}.{name}"] = result
    return told

def _called(kept, value):
    try:
        result = value()
    except Exception as error:
        return type(error).__name__
    if isinstance(value, type):
        kept.append(result)
        names = sorted(n for n in vars(value) if not n.startswith("_"))
        return {name: _tell(lambda: getattr(result, name)) for name in names}
    if callable(result):
        kept.append(result)
    if hasattr(value, "cache_info") and isinstance(result, types.GeneratorType):
        return "a generator for all callers"
    return _tell(result)

def _tell(value, depth=3):
    try:
        if depth and callable(value) and not isinstance(value, type):
            return _tell(value(), depth - 1)
        if isinstance(value, types.CoroutineType):
            try:
                value.send(None)
            except StopIteration as done:
                return ["awaited", _tell(done.value, depth)]
            return "waits"
        if isinstance(value, types.GeneratorType):
            return ["yields", [_tell(item, 0) for item in itertools.islice(value, 9)]]
        if hasattr(type(value), "__enter__"):
            with value as inner:
                return ["with", _tell(inner, 0)]
    except Exception as error:
        value = type(error).__name__
    if type(value) in (tuple, list):
        return [_tell(item, depth) for item in value]
    return repr(value) if type(value) in (int, str, bool, float, type(None)) else type(value).__name__
'''

FRAMEWORKS = (
    USE.replace("def use(", "def use_plainly(")
    + '''
import asyncio, json

def use(modules):
    told = {}
    for module in sorted(modules):
        for name, value in sorted(vars(modules[module]).items()):
            kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
            if kind in _USERS:
                try:
                    told[f"{module}.{name}"] = _USERS[kind](value)
                except Exception as error:
                    told[f"{module}.{name}"] = repr(error)
            elif isinstance(value, type) and kind.startswith("pydantic") and value.__module__ in modules:
                told[f"{module}.{name}"] = [json.dumps(value.model_json_schema()), _tell(lambda: str(value(a="1")))]
    return told

def _fastapi(app):
    told = [json.dumps(app.openapi())]
    for path in sorted({getattr(route, "path", "") for route in app.routes if hasattr(route, "endpoint")}):
        for method in ("GET", "POST"):
            if path.startswith(("/docs", "/redoc", "/openapi")):
                continue
            told.append([path, method, asyncio.run(_asked(app, path, method))])
    return told

async def _asked(app, path, method):
    said = []
    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}
    async def send(message):
        said.append([str(message.get("status")), str(message.get("body")), str(sorted(message.get("headers", ())))])
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
             "raw_path": path.encode(), "query_string": b"a=7&q=8", "headers": [(b"content-type", b"application/json")],
             "client": ("c", 1), "server": ("s", 80), "scheme": "http", "root_path": ""}
    try:
        await app(scope, receive, send)
    except Exception as error:
        said.append(type(error).__name__)
    return said

def _flask(app):
    client = app.test_client()
    told = []
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if "<" not in rule.rule:
            answer = client.get(rule.rule)
            told.append([rule.rule, sorted(rule.methods), rule.endpoint, answer.status_code, answer.text])
    answer = client.get("/nowhere")
    return [*told, answer.status_code, answer.text]

def _click(command):
    from click.testing import CliRunner
    told = []
    for words in ([], ["--help"], *([name] for name in sorted(getattr(command, "commands", ()))),
                  *([name, "--help"] for name in sorted(getattr(command, "commands", ())))):
        result = CliRunner().invoke(command, words)
        told.append([words, result.exit_code, result.output])
    return told

def _starlette(app):
    paths = ["/nowhere"]
    for route in app.routes:
        paths += [route.path + inner.path for inner in getattr(route, "routes", None) or ()] or [route.path]
    return [[path, asyncio.run(_asked(app, path, "GET"))] for path in paths]

_USERS = {"starlette.Starlette": _starlette,
          "fastapi.FastAPI": _fastapi, "flask.Flask": _flask, "click.Group": _click, "click.Command": _click}
'''
)
