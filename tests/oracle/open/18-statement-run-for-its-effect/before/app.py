_codes = {1: "a"}
class D(dict): pass
codes = D()
def _init():
    for k, v in _codes.items():
        codes[v] = k
_init()
