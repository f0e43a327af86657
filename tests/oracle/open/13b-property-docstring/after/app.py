class C:
    @property
    def a(self):
        """Two."""
        return 1
