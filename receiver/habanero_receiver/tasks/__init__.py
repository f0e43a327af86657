"""Supervised loops: what runs for as long as the app does, on the code that the app runs now.

`declared` holds what the app asked for, `phases` the table of what follows on what, `supervisor` walks it, `runs` are
an asyncio task and a thread, `codeprint` tells whether a loop's code changed, `lifespan` begins and ends with an app.

Nothing here knows releases, HTTP or the engine: whoever changes code says "look again" when it is done.
"""
