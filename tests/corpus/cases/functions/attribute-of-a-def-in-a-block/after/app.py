import sys


def entries(find, limit=1):
    def decorate(function):
        function.find = find
        function.limit = limit
        return function

    return decorate


if sys.version_info > (3, 1):

    @entries(lambda bases: ("new", bases), limit=2)
    def typed():
        return "new"


kept = typed
