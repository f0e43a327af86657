class C:
    @property
    def a(self):
        """One."""
        return 1
