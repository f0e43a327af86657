ASKED = []


class Lazy:
    """Stands for what its factory gives, as the proxies of web frameworks do; of no use outside of a request."""

    __slots__ = ("_factory",)

    def __init__(self, factory):
        object.__setattr__(self, "_factory", factory)

    def __getattribute__(self, name):
        ASKED.append(name)
        raise RuntimeError(f"outside of a request: {name}")

    def __eq__(self, other):
        ASKED.append("==")
        raise RuntimeError("outside of a request")

    def __bool__(self):
        ASKED.append("bool")
        raise RuntimeError("outside of a request")


class Shown:
    """One whose class and dictionary are those of what it stands for."""

    def __init__(self, factory):
        object.__setattr__(self, "_factory", factory)

    @property
    def __class__(self):
        ASKED.append("__class__")
        return type(object.__getattribute__(self, "_factory")())

    @property
    def __dict__(self):
        ASKED.append("__dict__")
        return {}


def find_user():
    ASKED.append("find_user")
    return find_user


user = Lazy(find_user)
request = Shown(find_user)
TABLE = {"user": user, "request": request}
LIMIT = 1
HANDLERS = []


def handler(function):
    HANDLERS.append((function, user, request))
    return function


class View:
    current = user
    shown = request

    def get(self, who=user):
        return "old"


@handler
def show(who=request):
    return "old"
