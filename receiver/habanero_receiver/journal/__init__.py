"""What a server keeps: the bucket, the journal of releases in it, and the base that they are releases over.

`bucket` stores bytes under keys, `journal` gives the keys their meaning, `base` says what code was deployed, `head`
finds the newest release that `trust` accepts and loads its modules. Nothing here decides what is acceptable, and
nothing here runs code.
"""
