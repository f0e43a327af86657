class App:
    def __init__(self):
        self.connections = []


class Limit:
    def __init__(self, inner, most):
        self.inner, self.most = inner, most


app = App()
app = Limit(app, 1)
