"""Buckets on object stores: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

    address    what a URL and the environment say, as one value
    options    the settings that the library's client gets for an address
    failures   what the library and the stores say when something fails, as our errors
    client     the promises of a bucket kept over that library
    apart      the same in a process of its own
    remote     which of the two a process uses; what `open_bucket` gives

The rule it upholds: nothing here is imported before a URL names an object store, and the library (obstore, the extra
`stores`) not before the first request.
"""
