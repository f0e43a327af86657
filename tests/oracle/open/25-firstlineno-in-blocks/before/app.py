X = 1
if X:
    class A:
        def f(self): return 1
