import os as _os

_parts = ["a", "b"]
PATH = _os.sep.join(_parts)
ROOT = _os.sep
del _os, _parts
