class Jobs:
    def sweep(self):
        return 2


def report():
    return 2


class Mail:
    pass
