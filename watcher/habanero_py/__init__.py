"""The developer's side of habanero-py: watch, test, build, sign and push."""
