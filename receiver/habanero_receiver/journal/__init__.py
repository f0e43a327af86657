"""What a server keeps: the bucket, the journal of releases in it, and the base that they are releases over.

`bucket` stores bytes under keys, `journal` gives the keys their meaning, `base` says what code was deployed. Nothing
here decides whether a release is acceptable (that is `trust`) and nothing here runs code.
"""
