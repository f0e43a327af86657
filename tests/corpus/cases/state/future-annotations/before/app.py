class P:
    def get(self) -> int: return 1
    x: int = 1
def f(a: int = 1) -> str: return ""
