import sys


def entries(find, limit=1):
    def decorate(function):
        function.find = find
        function.limit = limit
        return function

    return decorate


if sys.version_info > (3, 0):

    @entries(lambda bases: ("old", bases))
    def typed():
        return "old"


kept = typed
