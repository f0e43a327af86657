"""What each command does, on an open session; the command line itself is in `habanero_py.cli`."""
