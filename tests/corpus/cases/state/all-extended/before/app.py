import math
__all__ = ["a"]
a = 1
b = 2
__all__ += ["b"]
