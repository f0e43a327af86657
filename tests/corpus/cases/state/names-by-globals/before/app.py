import sys

SEEN = []

for _name in ("a", "b"):
    globals()[f"get_{_name}"] = (lambda name: lambda: name)(_name)

globals()["LEVEL"] = 1
globals()["GONE"] = 1

for _name in ("x", "y"):
    def _show(name=_name):
        return name

    setattr(sys.modules[__name__], f"show_{_name}", _show)


class Model:
    for _field in ("id", "name"):
        vars()[f"get_{_field}"] = (lambda field: lambda self: field)(_field)
    locals()["level"] = 1
    locals()["gone"] = 1


MODEL = Model()
