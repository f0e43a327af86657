"""The statements of a module or class body: what they bind, and how one is run in a living module."""
