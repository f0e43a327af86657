class C:
    limit = "x"
    derived = (limit, 2)
    def get(self): return self.derived
