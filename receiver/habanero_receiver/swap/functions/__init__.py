"""Living functions: how they are found, and how they move to new code."""
