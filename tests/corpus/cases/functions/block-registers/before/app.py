import sys

HOOKS = []
if sys.version_info >= (3, 8):
    def on_start():
        return "old"

    HOOKS.append(on_start)
HOOKS.append("last")
