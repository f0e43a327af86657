TABLE = {}


def on(event, **options):
    def add(function):
        TABLE.setdefault(event, []).append({"call": function, "options": options})
        return function
    return add
