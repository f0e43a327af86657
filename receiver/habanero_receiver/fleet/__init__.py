"""One process's place in the fleet: what it runs, how it moves to a release, and what the others run.

`node` holds the state of this process, `apply` is the one way from one release to the next, `follower` keeps up
with the journal, `heartbeat` tells the others. Nothing here knows HTTP; it works the same in a program without ASGI.
"""
