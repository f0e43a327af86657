import math
__all__ = ["a"]
a = 1
b = 2
c = 3
__all__ += ["b", "c"]
