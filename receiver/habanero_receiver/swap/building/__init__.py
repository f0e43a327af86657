"""Builds: modules in the form in which a release carries them, cut into units that a swap can run alone.

    modulecode a module's code object, encoded and decoded: all that an import needs
    units      what units are; encoding and decoding
    outlines   digests, by which a swap knows what changed
    scan       what a statement would bind, read, call and change
    compiler   from source to an encoded build
    grafts     makes a unit's functions those of the whole module's code
    server     the loop of the process that builds in another interpreter

It needs the standard library only, and nothing of the package around it, since it also runs alone in an interpreter
that has no more than this folder: ``pythonX.Y -I -S building/__main__.py``. Importers name the part: nothing is
imported here, so that a booting server, which only decodes, pays for no compiler.
"""
