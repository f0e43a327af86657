"""How a message looks. This is the file that the demo edits."""

SEPARATOR = ": "


def render(name: str, text: str, number: int) -> str:
    """One message as everyone sees it."""
    return f"{name}{SEPARATOR}{text}"
