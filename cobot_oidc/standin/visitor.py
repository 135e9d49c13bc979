"""Who is logged in at the stand-in with this browser, and the forms that only its own pages may send."""

import secrets

from flask import abort, request, session

from .people import Person
from .state import State


def logged_in(state: State) -> Person | None:
    """The person who is logged in at this host."""
    return state.people.get(session.get("person", ""))


def log_in(state: State, key: str) -> None:
    """Log this person in, without a password."""
    session["person"] = known(state, key).key
    session["sid"] = secrets.token_hex(8)


def log_out() -> None:
    """Log out whoever is logged in. What apps remember is theirs."""
    session.pop("person", None)
    session.pop("sid", None)


def known(state: State, key: str) -> Person:
    """The person with this key; status 400 if there is none."""
    if key not in state.people:
        abort(400)
    return state.people[key]


def csrf() -> str:
    """What this browser's forms have to carry."""
    token: str = session.setdefault("csrf", secrets.token_urlsafe())
    return token


def check_csrf() -> None:
    """Refuse a form that does not come from our own pages."""
    if not secrets.compare_digest(request.form.get("csrf", "").encode(), session.get("csrf", "-").encode()):
        abort(400)
