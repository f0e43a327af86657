def on(event):
    def mark(function):
        function.event = event
        return function

    return mark


class Handler:
    known = []

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.handlers = {f.event: f for f in vars(cls).values() if hasattr(f, "event")}
        Handler.known.append(cls)

    def fire(self, event):
        return self.handlers[event](self)


class Commands(type):
    def __new__(mcs, name, bases, body):
        cls = super().__new__(mcs, name, bases, body)
        cls.commands = [name for name in body if name.startswith("do_")]
        cls.table = {name: body[name] for name in cls.commands}
        return cls


class Users(Handler):
    @on("created")
    def created(self):
        return "second"

    @on("renamed")
    def renamed(self):
        return "other name"


class Between(Handler):
    @on("any")
    def any_event(self):
        return "any"


class Later(Handler):
    @on("late")
    def late(self):
        return "late"


class Shell(metaclass=Commands):
    def do_start(self):
        return "started"

    def do_stop(self):
        return "stopped"


USERS = Users()
