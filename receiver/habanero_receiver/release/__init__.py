"""The release format: what is signed, what it names, and how it travels.

Pure data: bytes in, frozen values out, and back. No file, no socket, no clock; nothing here decides whether a release
is acceptable (`habanero_receiver.trust`), and nothing is ever unmarshalled or run.

    envelope    DSSE: the signed bytes and their signatures
    statement   who replaces the code of which base by which manifest, when, after which release
    manifest    the modules of the overlay, by digest; `names` which names they may have
    body        one push as a stream of bytes: envelope, manifest, blobs
    request     a signed read
    keys        the list of trusted keys; `publickey` one of them, and the one place that verifies a signature
    strictjson  JSON with one reading only, and `fields` its shapes
    limits      the limit of every input
"""
