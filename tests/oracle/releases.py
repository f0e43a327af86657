"""Which packages the oracle goes through, release by release, and what is done with each. Pure data.

``use`` is a piece of work whose result is told in plain values: it is done before the swap, where what it makes is kept
alive, and after it, and the second result must be that of a fresh process that does it for the first time.
"""

# ruff: noqa: E501  # pieces of work are shorter to read with a call on one line

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """A package, its top-level names, and its releases in order."""

    name: str
    top_level: tuple[str, ...]
    versions: tuple[str, ...]
    use: str
    outside: tuple[str, ...] = ()
    """Names whose values come from outside of the package, so that two processes may differ in them; each is told why.
    With a star: all below, too."""


def _use(body: str) -> str:
    """The source of ``use``; what ``body`` puts into ``alive`` lives on, what it puts into ``told`` is compared."""
    lines = "".join(f"        {line}\n" for line in body.strip().splitlines())
    return (f"kept = []\n\ndef use(modules):\n    told, alive = [], []\n    kept.append(alive)\n    try:\n{lines}"
            "    except Exception as error:\n        told.append(repr(error))\n    return told\n")  # fmt: skip


PACKAGES = (
    Package("click", ("click",), ("8.1.3", "8.1.4", "8.1.5", "8.1.6", "8.1.7", "8.1.8", "8.2.0", "8.2.1"), _use("""
import click
from click.testing import CliRunner
@click.group()
@click.option('--size', type=click.Choice(['s', 'l']), default='s')
def main(size): click.echo('size ' + size)
@main.command()
@click.argument('n', type=click.INT)
def double(n): click.echo(n * 2)
alive += [main, double, click.Path(exists=True), click.IntRange(1, 3)]
for words in (['double', '4'], ['double', 'x'], ['--size', 'm'], ['--help'], ['double', '--help']):
    result = CliRunner().invoke(main, words)
    told.append((result.exit_code, result.output))
""")),
    Package("rich", ("rich",), ("13.7.0", "13.7.1", "13.8.0", "13.8.1", "13.9.1", "13.9.2", "13.9.3", "13.9.4"), _use("""
import io
from rich.console import Console
from rich.table import Table
from rich.markdown import Markdown
from rich.tree import Tree
out = io.StringIO()
console = Console(file=out, width=60, force_terminal=True, color_system='truecolor')
table = Table(title='t')
table.add_column('a', style='red')
table.add_row('[bold]x[/]')
tree = Tree('root')
tree.add('leaf')
for item in (table, tree, Markdown('# head'), {'k': [1, 2]}):
    console.print(item)
alive += [console, table, tree]
told.append(out.getvalue())
""")),
    Package("itsdangerous", ("itsdangerous",), ("2.0.0", "2.0.1", "2.1.0", "2.1.1", "2.1.2", "2.2.0"), _use("""
from itsdangerous import URLSafeSerializer, Signer, BadSignature, TimestampSigner
s = URLSafeSerializer('key', salt='x')
alive += [s, TimestampSigner('k')]
text = s.dumps({'a': [1, 2]})
told += [text, s.loads(text), Signer('k').sign('v')]
try: s.loads(text + 'x')
except BadSignature as error: told.append(str(error))
""")),
    Package("jinja2", ("jinja2",), ("3.1.0", "3.1.1", "3.1.2", "3.1.3", "3.1.4", "3.1.5", "3.1.6"), _use("""
import jinja2
from jinja2.sandbox import SandboxedEnvironment
env = jinja2.Environment(loader=jinja2.DictLoader({'base': '<{% block b %}{% endblock %}>', 'x': '{% extends "base" %}{% block b %}{{ items|join(",")|upper }}{% endblock %}'}))
alive += [env, SandboxedEnvironment()]
told.append(env.get_template('x').render(items=['a', 'b']))
told.append(env.from_string('{% for i in range(3) %}{{ loop.index }}{{ i|default(1) }}{% endfor %}').render())
try: env.from_string('{% if %}')
except jinja2.TemplateSyntaxError as error: told.append(str(error))
""")),
    Package("attrs", ("attr", "attrs"), ("23.1.0", "23.2.0", "24.1.0", "24.2.0", "24.3.0", "25.1.0", "25.2.0", "25.3.0"), _use("""
import attr, attrs
@attrs.define
class Point:
    x: int = attrs.field(validator=attrs.validators.instance_of(int))
    y: list = attrs.field(factory=list)
@attrs.frozen(order=True)
class Name:
    n: str = attrs.field(converter=str)
alive += [Point, Name, Point(1), Name(2)]
told += [repr(Point(1)), repr(attrs.asdict(Point(3, [4]))), Name(1) < Name(2), [f.name for f in attrs.fields(Point)]]
try: Point('x')
except TypeError as error: told.append(type(error).__name__)
""")),
    Package("packaging", ("packaging",), ("23.0", "23.1", "23.2", "24.0", "24.1", "24.2", "25.0"), _use("""
from packaging.version import Version, InvalidVersion
from packaging.specifiers import SpecifierSet
from packaging.requirements import Requirement
from packaging.markers import Marker
alive += [Version('1.2'), SpecifierSet('>=1'), Requirement('a[b]>1; python_version > "3"')]
told += [str(Version('1.0rc1')), Version('1') < Version('1.1'), str(SpecifierSet('>=1,<2')), '1.5' in SpecifierSet('>=1,<2')]
told += [str(Requirement('a[b]>1; python_version > "3"')), Marker('python_version > "3"').evaluate()]
try: Version('x')
except InvalidVersion as error: told.append(str(error))
""")),
    Package("tomlkit", ("tomlkit",), ("0.12.0", "0.12.1", "0.12.2", "0.12.3", "0.12.4", "0.12.5", "0.13.0", "0.13.1", "0.13.2"), _use("""
import tomlkit
doc = tomlkit.parse('[a]\\nb = 1 # c\\nd = [1, 2]\\n[[e]]\\nf = "x"\\n')
doc['a']['new'] = tomlkit.item({'k': 1})
alive.append(doc)
told += [tomlkit.dumps(doc), repr(doc.unwrap())]
try: tomlkit.parse('a = ')
except Exception as error: told.append(str(error))
""")),
    Package("werkzeug", ("werkzeug",), ("3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.0.4", "3.0.5", "3.0.6", "3.1.0", "3.1.1", "3.1.2", "3.1.3"), _use("""
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response
from werkzeug.test import Client, EnvironBuilder
from werkzeug.datastructures import Headers, MultiDict
routes = Map([Rule('/a/<int:n>', endpoint='a'), Rule('/b', endpoint='b', methods=['POST'])])
@Request.application
def app(request):
    endpoint, values = routes.bind_to_environ(request.environ).match()
    return Response(f'{endpoint} {values} {request.args.to_dict()}')
alive += [routes, app, Headers([('a', 'b')]), MultiDict(a=1)]
told += [Client(app).get('/a/3?x=1').get_data(as_text=True), Client(app).post('/b', data={'a': 'b'}).status]
try: routes.bind('h').match('/none')
except Exception as error: told.append(str(error))
"""), ("werkzeug.testapp._werkzeug_version",)),  # what the installed distribution says of itself
    Package("flask", ("flask",), ("3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.1.0", "3.1.1"), _use("""
import flask
app = flask.Flask('demo')
app.secret_key = 'k'
bp = flask.Blueprint('bp', 'demo', url_prefix='/bp')
@bp.get('/x/<n>')
def x(n):
    flask.session['n'] = n
    return {'n': n, 'url': flask.url_for('bp.x', n=1)}
app.register_blueprint(bp)
alive += [app, bp]
client = app.test_client()
told += [client.get('/bp/x/2').get_json(), client.get('/none').status_code, str(app.url_map)]
with app.app_context(): told.append(flask.render_template_string('{{ 1 + 1 }}'))
""")),
    Package("requests", ("requests",), ("2.28.1", "2.28.2", "2.29.0", "2.30.0", "2.31.0", "2.32.2", "2.32.3", "2.32.4"), _use("""
import requests
session = requests.Session()
session.headers['x'] = 'y'
prepared = session.prepare_request(requests.Request('POST', 'http://localhost/a?b=1', params={'c': [1, 2]}, json={'k': 1}))
alive += [session, prepared]
told += [prepared.url, prepared.body, sorted(k for k in prepared.headers if k != 'User-Agent'), requests.status_codes.codes.ok]
try: requests.Request('GET', 'nothing').prepare()
except requests.RequestException as error: told.append(type(error).__name__)
"""), ("requests.packages.mod",)),  # what a loop over sys.modules ended on
    Package("idna", ("idna",), ("3.4", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10"), _use("""
import idna
told += [idna.encode('\\u043f\\u0440\\u0438\\u043c\\u0435\\u0440.test'), idna.decode('xn--e1afmkfd.test'), idna.uts46_remap('A\\u00df')]
try: idna.encode('a..b')
except idna.IDNAError as error: told.append(str(error))
""")),
    Package("pluggy", ("pluggy",), ("0.13.1", "1.0.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0"), _use("""
import pluggy
spec, impl = pluggy.HookspecMarker('p'), pluggy.HookimplMarker('p')
class Spec:
    @spec
    def go(self, n): pass
class One:
    @impl
    def go(self, n): return n + 1
class Two:
    @impl(tryfirst=True)
    def go(self, n): return n * 10
manager = pluggy.PluginManager('p')
manager.add_hookspecs(Spec)
alive += [manager, manager.register(One()), manager.register(Two())]
told += [manager.hook.go(n=3), len(manager.get_plugins())]
""")),
    Package("more-itertools", ("more_itertools",), ("10.0.0", "10.1.0", "10.2.0", "10.3.0", "10.4.0", "10.5.0", "10.6.0", "10.7.0"), _use("""
import more_itertools as m
alive += [m.peekable([1, 2]), m.seekable(iter('abc')), m.bucket('aab', key=str)]
told += [list(m.chunked(range(5), 2)), m.first([], 0), list(m.windowed([1, 2, 3], 2)), m.ilen('abc'), list(m.flatten([[1], [2]]))]
""")),
    Package("starlette", ("starlette",), ("0.40.0", "0.41.0", "0.41.1", "0.41.2", "0.41.3", "0.42.0", "0.43.0", "0.44.0", "0.45.0"), _use("""
import asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
async def item(request): return JSONResponse({'n': request.path_params['n'], 'q': dict(request.query_params)})
app = Starlette(routes=[Route('/x/{n:int}', item), Mount('/m', routes=[Route('/y', item)])])
async def call(path):
    sent = []
    async def send(message): sent.append(message)
    async def receive(): return {'type': 'http.request', 'body': b'', 'more_body': False}
    await app({'type': 'http', 'method': 'GET', 'path': path, 'raw_path': path.encode(), 'query_string': b'a=1', 'headers': [], 'root_path': '', 'scheme': 'http', 'server': ('h', 80), 'client': ('c', 1), 'http_version': '1.1'}, receive, send)
    return [(m.get('status'), m.get('body')) for m in sent]
alive += [app, PlainTextResponse('x')]
told += [asyncio.run(call('/x/3')), asyncio.run(call('/none'))]
""")),
    Package("platformdirs", ("platformdirs",), ("4.0.0", "4.1.0", "4.2.0", "4.2.1", "4.2.2", "4.3.1", "4.3.2", "4.3.3", "4.3.6"), _use("""
import platformdirs
alive.append(platformdirs.PlatformDirs('app', 'me'))
told += [platformdirs.user_data_dir('app', 'me'), platformdirs.user_cache_path('app').name]
""")),
    Package("cachetools", ("cachetools",), ("5.2.1", "5.3.0", "5.3.1", "5.3.2", "5.3.3", "5.4.0", "5.5.0"), _use("""
import cachetools
cache = cachetools.LRUCache(2)
@cachetools.cached(cache)
def double(n): return n * 2
alive += [cache, double, cachetools.TTLCache(3, 100)]
told += [[double(n) for n in (1, 2, 1, 3)], sorted(cache.values())]
""")),
    Package("typing-extensions", ("typing_extensions",), ("4.8.0", "4.9.0", "4.10.0", "4.11.0", "4.12.0", "4.12.1", "4.12.2"), _use("""
import typing_extensions as t
class Movie(t.TypedDict, total=False):
    name: t.Required[str]
@t.runtime_checkable
class Named(t.Protocol):
    name: str
alive += [Movie, Named]
told += [sorted(Movie.__required_keys__), isinstance(3, Named), repr(t.get_type_hints(Movie))]
""")),
    Package("httpx", ("httpx",), ("0.24.1", "0.25.0", "0.25.1", "0.25.2", "0.26.0", "0.27.0", "0.27.2", "0.28.0", "0.28.1"), _use("""
import httpx
def answer(request): return httpx.Response(200, json={'path': request.url.path, 'q': dict(request.url.params)}, headers={'set-cookie': 'a=1'})
client = httpx.Client(transport=httpx.MockTransport(answer), base_url='http://h/v1', params={'k': 'v'})
alive += [client, httpx.URL('http://x/y?z=1'), httpx.Headers({'A': 'b'}), httpx.Timeout(3)]
got = client.get('/items', params={'n': 1})
told += [got.json(), got.status_code, str(got.url), dict(client.cookies), str(httpx.URL('http://a/b').join('../c'))]
try: httpx.Response(500, request=httpx.Request('GET', 'http://h')).raise_for_status()
except httpx.HTTPStatusError as error: told.append(type(error).__name__)
""")),
    Package("sqlparse", ("sqlparse",), ("0.4.2", "0.4.3", "0.4.4", "0.5.0", "0.5.1", "0.5.2", "0.5.3"), _use("""
import sqlparse
from sqlparse import sql, tokens
text = 'select a, b from t where x = 1 and y in (2, 3); insert into t values (1)'
parsed = sqlparse.parse(text)
alive += [parsed, tokens.Keyword.DML]
told += [sqlparse.format(text, reindent=True, keyword_case='upper'), sqlparse.split(text), [s.get_type() for s in parsed]]
told += [[str(t.ttype) for t in parsed[0].flatten()], type(parsed[0].tokens[2]).__name__]
""")),
    Package("marshmallow", ("marshmallow",), ("3.20.0", "3.20.1", "3.20.2", "3.21.0", "3.21.1", "3.21.2", "3.21.3", "3.22.0", "3.23.0"), _use("""
from marshmallow import Schema, ValidationError, fields, post_load, validate
class Item(Schema):
    name = fields.String(required=True, validate=validate.Length(max=3))
    price = fields.Decimal(as_string=True)
    tags = fields.List(fields.String())
    @post_load
    def make(self, data, **_): return dict(data, made=True)
schema = Item()
alive += [schema, Item(many=True), fields.Integer()]
told += [schema.load({'name': 'a', 'price': '1.5'}), schema.dump({'name': 'b', 'price': 2, 'tags': ['x']})]
try: schema.load({'name': 'long', 'more': 1})
except ValidationError as error: told.append(error.messages)
""")),
    Package("tenacity", ("tenacity",), ("8.2.0", "8.2.1", "8.2.2", "8.2.3", "8.3.0", "8.4.1", "8.4.2", "8.5.0", "9.0.0"), _use("""
import tenacity
tries = []
@tenacity.retry(stop=tenacity.stop_after_attempt(3), retry=tenacity.retry_if_exception_type(ValueError))
def flaky(n):
    tries.append(n)
    if len(tries) < n: raise ValueError(n)
    return len(tries)
alive += [flaky, tenacity.Retrying(), tenacity.wait_exponential() + tenacity.wait_fixed(1), tenacity.stop_never]
told += [flaky(2), repr(tenacity.wait_fixed(2))[:20]]
try: flaky(9)
except tenacity.RetryError as error: told.append(error.last_attempt.attempt_number)
""")),
    Package("wtforms", ("wtforms",), ("3.0.0", "3.0.1", "3.1.0", "3.1.1", "3.1.2", "3.2.0", "3.2.1"), _use("""
from wtforms import Form, IntegerField, SelectField, StringField, validators
class Order(Form):
    name = StringField('Name', [validators.Length(min=2)])
    count = IntegerField('Count', default=1)
    size = SelectField(choices=[('s', 'Small'), ('l', 'Large')])
form = Order(name='x')
alive += [form, Order]
told += [form.validate(), form.errors, str(form.name), str(form.size()), [f.name for f in Order(count=3)]]
""")),
    Package("pyparsing", ("pyparsing",), ("3.0.7", "3.0.8", "3.0.9", "3.1.0", "3.1.1", "3.1.2", "3.1.3", "3.1.4", "3.2.0"), _use("""
import pyparsing as pp
number = pp.Word(pp.nums).set_parse_action(lambda t: int(t[0]))
expr = pp.infix_notation(number, [('*', 2, pp.OpAssoc.LEFT), ('+', 2, pp.OpAssoc.LEFT)])
call = pp.Word(pp.alphas)('name') + pp.Suppress('(') + pp.DelimitedList(expr)('args') + pp.Suppress(')') if hasattr(pp, 'DelimitedList') else number
alive += [expr, call, pp.QuotedString('"'), pp.Literal('x') | pp.Empty()]
told += [expr.parse_string('1+2*3').as_list(), str(expr)[:30], pp.common.real.parse_string('1.5').as_list()]
try: number.parse_string('x')
except pp.ParseException as error: told.append(str(error))
"""), ("pyparsing.core._trim_arity_call_line->lineno", "pyparsing.core._trim_arity_call_line->end_lineno")),
    # where a function stood when it noted its own place, at its first call: kept, as all that functions note
    Package("structlog", ("structlog",), ("23.1.0", "23.2.0", "23.3.0", "24.1.0", "24.2.0", "24.4.0", "25.1.0"), _use("""
import io, logging
import structlog
out = io.StringIO()
structlog.configure(processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, structlog.processors.KeyValueRenderer(sort_keys=True)],
                    logger_factory=structlog.PrintLoggerFactory(out), wrapper_class=structlog.make_filtering_bound_logger(logging.INFO), cache_logger_on_first_use=False)
log = structlog.get_logger().bind(a=1)
log.info('said', n=2)
log.debug('unsaid')
alive += [log, structlog.get_config()['processors'], structlog.processors.JSONRenderer(), structlog.stdlib.PositionalArgumentsFormatter()]
with structlog.contextvars.bound_contextvars(c=3): log.warning('more %s', 'x')
told += [out.getvalue(), structlog.processors.JSONRenderer()(None, 'info', {'b': 1}), repr(log)[:20]]
structlog.reset_defaults()
""")),
    Package("lark", ("lark",), ("1.1.5", "1.1.6", "1.1.7", "1.1.8", "1.1.9", "1.2.1", "1.2.2"), _use("""
import lark
grammar = 'start: item ("," item)*\\nitem: NAME "=" NUMBER\\n%import common.CNAME -> NAME\\n%import common.NUMBER\\n%ignore " "'
parsers = [lark.Lark(grammar, parser=kind) for kind in ('lalr', 'earley')]
class Pairs(lark.Transformer):
    def item(self, parts): return (str(parts[0]), float(parts[1]))
    def start(self, parts): return dict(parts)
alive += [parsers, Pairs(), parsers[0].parse('c=3')]
told += [Pairs().transform(p.parse('a=1, b=2.5')) for p in parsers]
told.append(parsers[0].parse('a=1').pretty())
try: parsers[0].parse('a=')
except lark.UnexpectedInput as error: told += [type(error).__name__, error.get_context('a=')]
"""), ("lark.load_grammar._get_parser->cache*",)),  # tables of states, numbered by where their objects lie in memory
    Package("typer", ("typer",), ("0.12.4", "0.12.5", "0.13.0", "0.13.1", "0.14.0", "0.15.1", "0.15.2"), _use("""
from typing import Optional
import typer
from typer.testing import CliRunner
app = typer.Typer(rich_markup_mode=None)
@app.command()
def add(n: int, name: Optional[str] = typer.Option(None, help='whose')): typer.echo(f'{name} {n + 1}')
@app.command()
def stop(force: bool = False): raise typer.Exit(3 if force else 4)
alive += [app, typer.main.get_command(app), typer.Argument('x')]
for words in (['add', '3'], ['add', 'x'], ['stop', '--force'], ['--help'], ['add', '--help']):
    result = CliRunner().invoke(app, words)
    told.append((result.exit_code, result.output))
""")),
    Package("mistune", ("mistune",), ("3.0.0", "3.0.1", "3.0.2", "3.1.0", "3.1.1", "3.1.2", "3.1.3"), _use("""
import mistune
text = '# Head\\n\\n* a **b** `c`\\n* [l](http://x)\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\n~~gone~~ <i>x</i>\\n'
page = mistune.create_markdown(plugins=['table', 'strikethrough', 'footnotes'])
class Loud(mistune.HTMLRenderer):
    def heading(self, text, level, **attrs): return f'!{text}!'
loud = mistune.create_markdown(renderer=Loud(escape=False))
alive += [page, loud, mistune.BlockParser()]
told += [page(text), loud(text), mistune.create_markdown(renderer='ast')('*a*'), mistune.html('[a][b]\\n\\n[b]: /c')]
""")),
    Package("markdown", ("markdown",), ("3.4.3", "3.4.4", "3.5", "3.5.1", "3.5.2", "3.6", "3.7", "3.8"), _use("""
import markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import SimpleTagInlineProcessor
class Del(Extension):
    def extendMarkdown(self, md): md.inlinePatterns.register(SimpleTagInlineProcessor(r'()--(.*?)--', 'del'), 'del', 175)
page = markdown.Markdown(extensions=[Del(), 'tables', 'toc', 'fenced_code', 'attr_list'])
text = '# Head {#id}\\n\\n--x-- *y* [l](http://a \\"t\\")\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\n~~~ py\\nz = 1\\n~~~\\n'
alive += [page, Del()]
told += [page.convert(text), page.toc, page.reset().convert('> q\\n\\n1. a\\n2. b'), markdown.markdown('a  \\nb')]
""")),
)  # fmt: skip
