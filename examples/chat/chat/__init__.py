"""A small chat server: what a hot push must leave alone is all in memory."""
