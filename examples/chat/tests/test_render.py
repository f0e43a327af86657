"""The gate: nothing that fails here reaches the server."""

from chat.render import render


def test_a_message_shows_who_said_what() -> None:
    """Whatever it looks like, name and text are in it."""
    message = render("ana", "hello", number=1)
    assert "ana" in message
    assert "hello" in message
