def before():
    from app import cmd
    assert cmd.sync("a") == "a"
    return cmd, cmd.sync


def after(state):
    cmd, sync = state
    assert cmd.sync is sync
    assert sync.__doc__ == "Sync a path with the remote."
    assert sync.__wrapped__.__doc__ == sync.__doc__
    assert cmd.Disk.free.__doc__ == "Free bytes."
