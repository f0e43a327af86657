class C:
    a = 1
    b = 2
C.late = 3
del C.b
