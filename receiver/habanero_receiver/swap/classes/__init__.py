"""Living classes: how they take over what their new bodies say, and stay the same objects."""
