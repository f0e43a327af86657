try:
    import fastmodel
except ImportError:
    class Model:
        """Slow."""

        def load(self):
            self.rows = []
