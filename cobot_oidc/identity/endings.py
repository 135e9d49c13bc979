"""How a login ends: for the session, its copies, the browser, the operator and the app."""

import itertools
from collections.abc import Iterable
from functools import partial

from flask import after_this_request, has_request_context
from werkzeug.wrappers import Response

from ..context import the_app
from ..events import user_logged_out
from ..installation import installation
from . import logout_marks, sessions, tokens
from .current import forget_user, identity_of
from .stored import Identity
from .user import User


def end(issuers: Iterable[str] | None) -> tuple[list[Identity], list[Identity]]:
    """End the logins of this browser at these issuers, or all of them. The caller forgets tokens, and calls ``tell``.

    :param issuers: ``None`` for every one.
    :returns: the logins that were valid until now, and those of this session that had ended before: a copy of it brings
        nobody to tell or revoke anything again.
    """
    installed = installation()
    issuers = None if issuers is None else list(issuers)
    held = [login.user for login in sessions.logins(installed.terms)]
    valid = {user.issuer for user in held if identity_of(user) is not None}
    installed.ended_logins.add(user for user in held if issuers is None or user.issuer in issuers)
    logins = sessions.end(installed.terms, issuers)
    ended = [login.user for login in logins]
    forget_user()
    installed.used_states.forget_users(ended)
    after_this_request(partial(_mark_ended, ended, everywhere=issuers is None))
    still_valid = [login for login in logins if login.user.issuer in valid]
    return still_valid, [login for login in logins if login.user.issuer not in valid]


def end_of(user: User, held: str) -> None:
    """End the login of one user, also where there is no browser: in a thread that works for a page.

    :param held: the token of that login.
    """
    from . import hints  # no login needs it that ends as usual

    if has_request_context() and identity_of(user) is not None:
        for login in itertools.chain(*end([user.issuer])):
            hints.forget(login.kept.hint)
    else:
        installation().ended_logins.add([user])
    tokens.forget(held)
    tell([user])


def tell(users: Iterable[User]) -> None:
    """Tell the operator and the app that these users have been logged out."""
    for user in users:
        installation().events.tell("logged_out", user.issuer)
        user_logged_out.send(the_app(), user=user)


def _mark_ended(ended: list[User], response: Response, *, everywhere: bool) -> Response:
    """No page that is still on its way brings a login back that has ended."""
    if ended:
        at = max(int(installation().clock()), *(user.authenticated_at for user in ended)) + 1
        ended_at = [logout_marks.EVERY_ISSUER] if everywhere else [user.issuer for user in ended]
        logout_marks.mark(dict.fromkeys(ended_at, at), response)
    return response
