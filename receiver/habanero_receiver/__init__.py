"""The server's side of habanero-py."""
