"""What apps hand on in parts: Flask's blueprints, FastAPI's routers, Starlette's lists of routes, decorators around them."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind


def _turned(parts: list[str], by: int) -> str:
    """The parts that there are, beginning with another one."""
    there = [part for part in parts if part]
    return "\n\n".join([*there[by % len(there) :], *there[: by % len(there)]])


@kind("blue", "blue", frameworks=True)
def blue(s: Statement) -> str:
    """A blueprint with views and hooks, which nothing registers yet."""
    n, name = s.numbers, s.name
    hook = ("", f"@{name}.before_app_request\ndef {name}_hook():\n    flask.g.seen = (*flask.g.get('seen', ()), {n[1]})\n",
            f"@{name}.before_request\ndef {name}_hook():\n    flask.g.seen = (*flask.g.get('seen', ()), {n[1]})\n",
            f"@{name}.app_errorhandler(404)\ndef {name}_lost(error):\n    return 'lost {n[1]}', 404\n")[n[0]]  # fmt: skip
    first = f"@{name}.get('/{name}/{n[3] // 2}')\ndef {name}_one():\n    return str(({n[2]}, {s.reads[0]}, flask.g.get('seen')))\n"
    second = f"@{name}.route('/{name}/two', methods=['GET', '{('POST', 'PUT')[n[3] % 2]}'])\ndef {name}_two():\n    return '{n[2]}'\n" if n[4] else ""
    view = f"class {name}_View(flask.views.MethodView):\n    def get(self):\n        return '{n[1]}'\n\n{name}.add_url_rule('/{name}/view', view_func={name}_View.as_view('{name}_view'))\n" if n[4] == 3 else ""
    return f"{name} = flask.Blueprint('{name}', 'shop')\n\n\n" + _turned([first, hook, second, view], n[4])


@kind("site", "site", needs="blue", frameworks=True)
def site(s: Statement) -> str:
    """An app that registers a blueprint between statements of its own."""
    n, name = s.numbers, f"{s.name}_flask"
    own = f"@{name}.before_request\ndef {s.name}_before():\n    flask.g.seen = (*flask.g.get('seen', ()), 'own {n[1]}')\n"
    options = ("", ", url_prefix='/p'", "", f", url_prefix='/q{n[2] // 2}'")[n[0]]
    call = f"{name}.register_blueprint({s.reads[1]}{options})\n" if n[3] else ""
    view = f"@{name}.get('/<path:rest>')\ndef {s.name}(rest=''):\n    return str(({n[2]}, {s.reads[0]}, flask.g.get('seen')))\n"
    return f"{name} = flask.Flask('{s.name}')\n\n\n" + _turned([own, call, view], n[4])


@kind("router", "router", frameworks=True)
def router(s: Statement) -> str:
    """A router of FastAPI, which nothing includes yet."""
    n, name = s.numbers, s.name
    first = f"@{name}.get('/{name}/{n[3] // 2}'{('', ', tags=[' + repr('t') + ']')[n[1] // 2]})\ndef {name}_one():\n    return [{n[2]}, str({s.reads[0]})]\n"
    second = f"def {name}_two(a: int = {n[1]}):\n    return [a, {n[2]}]\n\n{name}.add_api_route('/{name}/two', {name}_two, methods=['{('GET', 'POST')[n[3] % 2]}'])\n" if n[0] else ""
    third = f"@{name}.api_route('/{name}/three', methods=['GET', 'POST'])\nasync def {name}_three():\n    return {n[4]}\n" if n[0] == 3 else ""
    return f"{name} = fastapi.APIRouter()\n\n\n" + _turned([first, second, third], n[4])


@kind("including", "including", needs="router", frameworks=True)
def including(s: Statement) -> str:
    """An app that includes a router between statements of its own."""
    n, name = s.numbers, f"{s.name}_app"
    options = ("", ", prefix='/p'", ", tags=['t']", f", prefix='/q{n[2] // 2}'")[n[0]]
    call = f"{name}.include_router({s.reads[1]}{options})\n" if n[3] else ""
    view = f"@{name}.get('/{{rest:path}}')\ndef {s.name}(rest: str):\n    return [{n[2]}, str({s.reads[0]})]\n"
    first = f"@{name}.get('/{s.name}/{n[1] // 2}')\ndef {s.name}_first():\n    return {n[1]}\n"
    return f"{name} = fastapi.FastAPI()\n\n\n" + _turned([first, call, view], n[4])


@kind("listed", "listed", frameworks=True)
def listed(s: Statement) -> str:
    """An app of Starlette that is made of a list of routes, with a mount among them."""
    n, name = s.numbers, s.name
    inner = f"starlette.routing.Mount('/in{n[1] // 2}', routes=[starlette.routing.Route('/{n[2] // 2}', {name}), starlette.routing.Route('/two', {name}_two)])"
    routes = [f"starlette.routing.Route('/{name}/{n[3] // 2}', {name})", inner if n[0] else "", f"starlette.routing.Route('/{name}/two', {name}_two)" if n[0] != 2 else ""]
    there = [route for route in routes if route]
    turned = [*there[n[4] % len(there) :], *there[: n[4] % len(there)]]
    views = (f"async def {name}(request):\n    return starlette.responses.PlainTextResponse('{n[2]} ' + str({s.reads[0]}))\n\n\n"
             f"async def {name}_two(request):\n    return starlette.responses.PlainTextResponse('two {n[1]}')\n\n\n")  # fmt: skip
    if n[1] % 2:
        return f"{views}{name}_routes = [{', '.join(turned)}]\n{name}_app = starlette.applications.Starlette(routes={name}_routes)\n"
    return f"{views}{name}_app = starlette.applications.Starlette(routes=[{', '.join(turned)}])\n"


@kind("routed", "routed", frameworks=True)
def routed(s: Statement) -> str:
    """An app of Starlette that calls add routes to, and mount a router with a route to the same view."""
    n, name = s.numbers, s.name
    app = f"{name}_app"
    first = f"{app}.add_route('/{name}/{n[1] // 2}', {name})\n"
    inner = f"{app}.mount('/in{n[2] // 2}', starlette.routing.Router(routes=[starlette.routing.Route('/{n[3] // 2}', {name})]))\n"
    other = f"{app}.routes.append(starlette.routing.Route('/{{rest:path}}', {name}_two))\n" if n[0] else ""
    return (f"async def {name}(request):\n    return starlette.responses.PlainTextResponse('{n[3]} ' + str({s.reads[0]}))\n\n\n"
            f"async def {name}_two(request):\n    return starlette.responses.PlainTextResponse('two {n[1]}')\n\n\n"
            f"{app} = starlette.applications.Starlette()\n" + _turned([first, inner, other], n[4]))  # fmt: skip


@kind("own route", "own route", needs="api", frameworks=True)
def own_route(s: Statement) -> str:
    """A route that a decorator of the app's own registers."""
    n = s.numbers
    return (f"def {s.name}_at(path):\n    def take(function):\n        return {s.reads[1]}.get('/own{n[0] // 2}' + path)(function)\n    return take\n\n\n"
            f"@{s.name}_at('/{s.name}/{n[1] // 3}')\ndef {s.name}(a: int = {n[2]}):\n    return [a, {n[3]}]\n")  # fmt: skip
