import sys

SEEN = []

for _name in ("a", "c"):
    globals()[f"get_{_name}"] = (lambda name: lambda: name.upper())(_name)

globals()["LEVEL"] = 2

for _name in ("x", "z"):
    def _show(name=_name):
        return name * 2

    setattr(sys.modules[__name__], f"show_{_name}", _show)


class Model:
    for _field in ("id", "email"):
        vars()[f"get_{_field}"] = (lambda field: lambda self: field.upper())(_field)
    locals()["level"] = 2


MODEL = Model()
