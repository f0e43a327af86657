class Jobs:
    default = "day"

    def mark(function):
        function.schedule = "night"
        return function

    @mark
    def sweep(self):
        return "swept"

    for name in ("a", "b"):
        pass
    if default == "day":
        del default
    del mark, name
