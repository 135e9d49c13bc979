"""What mypy understands beyond ``portal.py``: ``is_authenticated`` by itself tells a user from nobody."""

from typing import assert_type

from cobot_oidc import AnonymousUser, User, current_user


def by_the_bare_attribute() -> str:
    if not current_user.is_authenticated:
        assert_type(current_user, AnonymousUser)
        return "nobody"
    assert_type(current_user, User)
    return current_user.subject
