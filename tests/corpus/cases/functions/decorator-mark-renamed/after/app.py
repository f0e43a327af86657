def job(function):
    function.needs_nothing = True
    return function


@job
@job
def sweep():
    return "swept clean"


def run(function):
    return function(context=1) if hasattr(function, "wants") else function()
