try:
    Group = __builtins__.nothing
except AttributeError:
    class Group(Exception):
        pass
