TYPE_CHECKING = False
if TYPE_CHECKING:
    import math
if 0 > 1:
    def f(): return 1
    flag2 = 2
else:
    def f(): return 2
    flag = 1
if True:
    pass
else:
    only_old = 1
