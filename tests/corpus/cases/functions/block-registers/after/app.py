import sys

HOOKS = []
if sys.version_info >= (3, 8):
    def on_start():
        return "new"

    HOOKS.append(on_start)
    HOOKS.append("more")
HOOKS.append("last")
