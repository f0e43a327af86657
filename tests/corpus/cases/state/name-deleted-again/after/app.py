import os as _os

_parts = ["a", "c"]
PATH = _os.sep.join(_parts)
ROOT = (_os.sep, 1)
del _os, _parts
