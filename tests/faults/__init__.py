"""Heavy tests of what can break beneath the receiver: real stores, faults at length, figures at the end.

`make faults` runs them (`python -m faults --help`); `make test` does not. Each module holds scenarios, `SCENARIOS` in
`__main__` lists them: adding one is a function from a `Ground` to an `Outcome`, and a line there. What they found is
kept in docs/reliability.md.
"""
