class C:
    limit = 1
    derived = (limit, 2)
    def get(self): return self.derived
