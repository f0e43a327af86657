def job(function):
    function.wants = "context"
    return function


@job
def sweep(context=None):
    return "swept"


def run(function):
    return function(context=1) if hasattr(function, "wants") else function()
