def labelled(label):
    def wrap(cls):
        class Labelled(cls):
            def show(self):
                return label, super().show()

        return Labelled

    return wrap


@labelled("new")
class Report:
    def show(self):
        return "report of today"


REPORT = Report()
