try:
    Group
except NameError:
    class Group(ExceptionGroup):
        pass
else:
    Group = Group
