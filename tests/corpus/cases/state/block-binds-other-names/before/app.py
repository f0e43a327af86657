import math
if 3 > 1:
    def f(): return 1
else:
    def f(): return 2
    flag = 1
if not math:
    pass
else:
    only_old = 1
