# The fast one is optional.

try:
    import fastmodel
except ImportError:
    class Model:
        """Slow, but complete."""

        def load(self):
            self.rows, self.total = [], 0
