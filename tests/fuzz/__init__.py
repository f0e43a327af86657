"""Attacks that nobody thought of, by the million: `make fuzz`.

    judged    mutated envelopes, journal entries, payloads, manifests, bodies and read headers, judged one by one
    guided    the same entry points under atheris, which looks for inputs that reach new code
    openapi   requests made up by schemathesis from the description of the endpoints, over the endpoints themselves

Each prints what it tried and what came of it. What none of them may ever see is in `watch`.
"""
