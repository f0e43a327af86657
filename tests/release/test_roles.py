"""The list of roles: who may do what where, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.errors import CODES, ConfigError
from habanero_receiver.release.roles import ROLES, parse_roles

LIST = """
# who        may             where
ana@laptop   push,rollback   shop/staging,shop/production
ana@laptop   freeze          shop/production

ben@desk     read            shop/production
"""


def test_lines_of_a_name_add_up() -> None:
    """What somebody may do at a place is what all lines of their names give there, and to read."""
    roles = parse_roles(LIST)
    assert roles.of(["ana@laptop"], "shop/production") == {"push", "rollback", "freeze", "read"}
    assert roles.of(["ana@laptop"], "shop/staging") == {"push", "rollback", "read"}
    assert roles.of(["ana@desk", "ana@laptop"], "shop/staging") == {"push", "rollback", "read"}
    assert roles.of(["ben@desk"], "shop/production") == {"read"}


def test_who_is_not_listed_may_nothing() -> None:
    """A list that does not name somebody for a place gives nothing there, an empty list gives nothing at all."""
    assert parse_roles(LIST).of(["ben@desk"], "shop/staging") == frozenset()
    assert parse_roles(LIST).of(["eve"], "shop/production") == frozenset()
    assert parse_roles("").of(["ana@laptop"], "shop/production") == frozenset()


@pytest.mark.parametrize(
    "line",
    [
        "ana@laptop push",
        "ana@laptop push shop/production more",
        "ana@laptop push, rollback shop/production",
        "ana@laptop pusch shop/production",
        "ana@laptop PUSH shop/production",
        "ana@laptop * shop/production",
        "ana@laptop push,,rollback shop/production",
        "ana@laptop push shop",
        "ana@laptop push shop/*",
        "ana@laptop push */production",
        "ana@laptop push shop/production#5f2c",
        "ana@laptop push shop/production/eu",
        "ana@laptop push shop/pröduction",
        "*@laptop push shop/production",
        "ana,ben push shop/production",
        '"ana" push shop/production',
    ],
)
def test_a_line_that_is_not_understood_in_full_is_refused(line: str) -> None:
    """Nothing is a pattern and nothing is guessed; the message names the line."""
    with pytest.raises(ConfigError) as caught:
        parse_roles(f"ben@desk read shop/production\n{line}")
    assert (caught.value.code, caught.value.subject) == ("roles-line", "line 2 of the roles")
    assert caught.value.help


def test_a_misspelt_role_gets_the_nearest_one() -> None:
    """A typing mistake is told as one."""
    with pytest.raises(ConfigError, match="roll-back") as caught:
        parse_roles("ana roll-back shop/production")
    assert "did you mean rollback?" in caught.value.help


@given(st.text(alphabet="an@ ,*/#\n", max_size=60) | st.text(max_size=60))
def test_no_text_raises_anything_but_config_errors(text: str) -> None:
    """Whatever is in the file, there is a message; and what is given are roles that exist."""
    try:
        roles = parse_roles(text)
    except ConfigError as error:
        assert error.code in CODES
    else:
        assert all(grant.roles <= ROLES for grant in roles.grants)
