class Jobs:
    def nightly(hour):
        def mark(function):
            function.hour = hour
            return function
        return mark

    @nightly(3)
    def sweep(self):
        return 1

    del nightly


def listed(item):
    item.listed = True
    return item


@listed
def report():
    return 1


@listed
class Mail:
    pass


del listed
