DEBUG = False

if DEBUG:
    def render(value):
        return f"<{value!r}>"
else:
    def render(value):
        return str(value)


class Page:
    verbose = DEBUG
    if verbose:
        def title(self):
            return "debug"
    else:
        def title(self):
            return "page"
