import plugins
from plugins import Kind, Plugin, named


class Csv(Plugin):
    separator = ","


class Json(metaclass=Kind):
    indent = 2


@named("text")
class Text:
    width = 80


OPEN = [Csv(), Json(), Text()]
