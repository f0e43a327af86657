"""What apps build with FastAPI, pydantic, Flask and click."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind


@kind("model", "model", frameworks=True)
def model(s: Statement) -> str:
    n = s.numbers
    lines = [f"    a: int = {n[1]}\n", ("", "    b: str = 'b'\n", "    b: list[int] = []\n", f"    b: int = pydantic.Field({n[2]}, ge=0)\n")[n[0]]]
    lines.append(("", f"    @pydantic.field_validator('a')\n    @classmethod\n    def check(cls, value):\n        return value + {n[2]}\n",
                  f"    @pydantic.model_validator(mode='after')\n    def check(self):\n        object.__setattr__(self, 'a', self.a + {n[2]})\n        return self\n",
                  f"    @pydantic.computed_field\n    @property\n    def double(self) -> int:\n        return self.a * {n[2]}\n")[n[3]])  # fmt: skip
    lines.append(f"    def total(self):\n        return (self.a, {n[4]})\n")
    return f"class {s.name}(pydantic.BaseModel):\n" + "".join(lines)


@kind("nested model", "model", needs="model", frameworks=True)
def nested_model(s: Statement) -> str:
    n, m = s.numbers, s.reads[1]
    field = (f"inner: {m} = {m}()", f"inner: list[{m}] = []", f"inner: {m} | None = None", f"inner: dict[str, {m}] = {{}}")[n[0]]
    return f"class {s.name}(pydantic.BaseModel):\n    {field}\n    n: int = {n[1]}\n    def total(self):\n        return {n[2]}\n"


@kind("child model", "model", needs="model", frameworks=True)
def child_model(s: Statement) -> str:
    n = s.numbers
    extra = ("    pass\n", f"    z: int = {n[1]}\n", f"    a: float = {n[1]}\n", f"    model_config = pydantic.ConfigDict(extra='{('ignore', 'allow')[n[1] % 2]}')\n")[n[0]]
    return f"class {s.name}({s.reads[1]}):\n{extra}"


@kind("dependency", "dependency", frameworks=True)
def dependency(s: Statement) -> str:
    n = s.numbers
    return (f"def {s.name}(q: int = {n[0]}):\n    return (q, {n[1]})\n", f"async def {s.name}(q: int = {n[0]}):\n    return (q, {n[1]})\n",
            f"def {s.name}(page: int = {n[0]}, size: int = {n[1]}):\n    return (page, size)\n", f"def {s.name}():\n    yield ({n[0]}, {n[1]})\n")[n[2]]  # fmt: skip


@kind("api", "api", frameworks=True)
def api(s: Statement) -> str:
    n = s.numbers
    return f"{s.name} = fastapi.{('FastAPI', 'FastAPI', 'FastAPI', 'APIRouter')[n[0]]}()"


def _handler(s: Statement, extra: str) -> str:
    n = s.numbers
    head = "async def" if n[0] == 2 else "def"
    arguments = ("", f"a: int = {n[1]}", f"a: int = {n[1]}, b: str = 'b'", "request: fastapi.Request")[n[0]]
    given = ", ".join(part for part in (arguments, extra) if part)
    told = "dep" if "dep" in extra else "item" if "item" in extra else "'-'"
    return f"{head} {s.name}({given}):\n    return [{n[2]}, str({told}), str({s.reads[0]})]\n"


@kind("route", "endpoint", needs="api", frameworks=True)
def route(s: Statement) -> str:
    n = s.numbers
    options = ("", f", tags=['t{n[1]}']", ", status_code=201", f", summary='S{n[1]}'")[n[4]]
    return f"@{s.reads[1]}.{('get', 'post', 'get', 'get')[n[3]]}('/{s.name}/{n[3] // 3}'{options})\n{_handler(s, '')}"


@kind("depending", "depending", needs="dependency", frameworks=True)
def depending(s: Statement) -> str:
    """An app of its own, with a route that depends on a function."""
    n, d = s.numbers, s.reads[1]
    extra = (f"dep=fastapi.Depends({d})", f"dep: typing.Annotated[tuple, fastapi.Depends({d})]", f"dep=fastapi.Depends({d}, use_cache=False)", "")[n[3]]
    plain = Statement(s.kind, s.name, (0, *n[1:]), s.reads)
    return (f"{s.name}_app = fastapi.FastAPI()\n\n\n@{s.name}_app.get('/{s.name}', dependencies=[{('', f'fastapi.Depends({d})')[n[4] // 3]}])\n{_handler(plain, extra)}")  # fmt: skip


@kind("with model", "with model", needs="model", frameworks=True)
def with_model(s: Statement) -> str:
    """An app of its own, with routes that take and give a model."""
    n, m = s.numbers, s.reads[1]
    response = ("", f", response_model={m}", f", response_model=list[{m}]", "")[n[3]]
    result = (f"{n[2]}", f"{m}()", f"[{m}()]", f"{{'n': {n[2]}}}")[n[3]]
    return (f"{s.name}_app = fastapi.FastAPI()\n\n\n@{s.name}_app.get('/{s.name}'{response})\ndef {s.name}():\n    return {result}\n\n\n"
            f"@{s.name}_app.post('/{s.name}')\ndef {s.name}_in(item: {m}, n: int = {n[1]}):\n    return [str(item), n, {n[4]}]\n")  # fmt: skip


@kind("included", "included", needs="api", frameworks=True)
def included(s: Statement) -> str:
    """A router with a route, included in an app of its own."""
    n = s.numbers
    return (f"{s.name}_router = fastapi.APIRouter()\n\n\n@{s.name}_router.get('/{s.name}')\ndef {s.name}():\n    return [{n[0]}, str({s.reads[0]})]\n\n\n"
            + (f"@{s.name}_router.get('/{s.name}/two')\ndef {s.name}_two(a: int = {n[2]}):\n    return a\n\n\n" if n[3] > 1 else "")
            + f"{s.name}_app = fastapi.FastAPI()\n{s.name}_app.include_router({s.name}_router, prefix='/p{n[1] // 2}')\n")  # fmt: skip


@kind("guarded", "guarded", frameworks=True)
def guarded(s: Statement) -> str:
    """An app with middleware and a handler of exceptions."""
    n = s.numbers
    middle = (f"@{s.name}_app.middleware('http')\nasync def {s.name}_middle(request, call_next):\n    response = await call_next(request)\n"
              f"    response.headers['x-n'] = '{n[1]}'\n    return response\n\n\n") if n[0] else ""  # fmt: skip
    return (f"{s.name}_app = fastapi.FastAPI(title='T{n[4]}')\n\n\n{middle}@{s.name}_app.exception_handler(ZeroDivisionError)\ndef {s.name}_caught(request, error):\n"
            f"    return fastapi.responses.JSONResponse({n[2]}, status_code=418)\n\n\n@{s.name}_app.get('/{s.name}')\ndef {s.name}():\n    return {n[3]} // {n[3] % 2}\n")  # fmt: skip


@kind("flask", "flask", frameworks=True)
def flask_app(s: Statement) -> str:
    n = s.numbers
    before = f"\n\n@{s.name}.before_request\ndef {s.name}_before():\n    flask.g.seen = {n[0]}\n" if n[1] > 1 else ""
    error = f"\n\n@{s.name}.errorhandler(404)\ndef {s.name}_missing(error):\n    return '{n[2]}', 404\n" if n[3] else ""
    return f"{s.name} = flask.Flask('{s.name}')\n{before}{error}"


@kind("view", "view", needs="flask", frameworks=True)
def view(s: Statement) -> str:
    n = s.numbers
    options = ("", ", methods=['GET', 'POST']", f", endpoint='{s.name}_e'", f", defaults={{'a': {n[1]}}}")[n[0]]
    return f"@{s.reads[1]}.route('/{s.name}/{n[3] // 3}'{options})\ndef {s.name}(a={n[1]}):\n    return f'{n[2]} {{a}} ' + str({s.reads[0]})\n"


@kind("blueprint", "blueprint", frameworks=True)
def blueprint(s: Statement) -> str:
    n = s.numbers
    second = f"@{s.name}_blue.get('/{s.name}/two')\ndef {s.name}_two():\n    return '{n[2]}'\n\n\n" if n[3] > 1 else ""
    return (f"{s.name}_blue = flask.Blueprint('{s.name}', 'shop')\n\n\n@{s.name}_blue.route('/{s.name}/{n[4] // 2}')\ndef {s.name}():\n    return '{n[0]} ' + str({s.reads[0]})\n\n\n"
            f"{second}{s.name}_flask = flask.Flask('{s.name}')\n{s.name}_flask.register_blueprint({s.name}_blue)\n")  # fmt: skip


@kind("group", "group", frameworks=True)
def group(s: Statement) -> str:
    n = s.numbers
    option = (f"@click.option('--size', default={n[1]})\n", "size=1")
    return f"@click.group({('', 'invoke_without_command=True')[n[0] // 2]})\n{option[0]}def {s.name}(size):\n    \"\"\"Group {n[2]}.\"\"\"\n    click.echo(f'{n[3]} {{size}}')\n"


@kind("command", "command", needs="group", frameworks=True)
def command(s: Statement) -> str:
    n = s.numbers
    name = ("", f"'{s.name}-x'", "", f"'{s.name}', help='H{n[1]}'")[n[0]]
    option = (f"@click.option('--n', default={n[1]})\n", f"@click.option('--n', type=click.INT, default={n[1]}, help='N')\n", f"@click.argument('n', default={n[1]})\n", "")[n[4]]
    return f"@{s.reads[1]}.command({name})\n{option}def {s.name}({'n' if option else ''}):\n    \"\"\"Command {n[3]}.\"\"\"\n    click.echo('{n[2]} ' + str({s.reads[0]}))\n"
