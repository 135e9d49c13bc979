"""What a login that has ended leaves behind: its tokens, which may also be revoked, and its hint for a logout."""

import threading
from collections.abc import Iterable
from hmac import compare_digest

from flask import Flask

from ..context import the_app
from ..errors import CobotOIDCError
from ..identity import tokens
from ..identity.stored import Identity
from ..identity.tokens import KeptTokens
from ..identity.user import User
from ..installation import installation


def forget_tokens(logins: Iterable[Identity], *, revoke: bool, but: str | None = None) -> None:
    """Forget the tokens of logins that have ended, and revoke them in the background if the app wants that.

    :param but: the token that is still in use: a provider may give the same one to each login of a person.
    """
    for login in logins:
        if login.kept.token is not None and revoke:
            _revoke(login.user, login.kept.token, but)
        else:
            tokens.forget(login.kept.token)


def forget_hints(before: Iterable[Identity], after: Iterable[Identity]) -> None:
    """Forget the id tokens that were kept for logouts that nobody can ask for any more."""
    from ..identity import hints

    held = {one.kept.hint for one in after}
    for login in before:
        if login.kept.hint not in held:
            hints.forget(login.kept.hint)


def _revoke(user: User, held: str, but: str | None) -> None:
    """Forget a token at once, so that a renewal under way finds it gone, and have it revoked."""
    try:
        ended = tokens.kept_with_renewal(held, user, and_forget=True)
    except CobotOIDCError:
        installation().events.tell("token_not_revoked", user.issuer)
        return
    if ended is None or (but is not None and compare_digest(ended.access_token, but)):
        return
    arguments = the_app(), user, ended, but is not None
    try:
        threading.Thread(target=_run, args=arguments, name="cobot-oidc-revocation", daemon=True).start()
    except RuntimeError:  # no more threads
        installation().events.tell("token_not_revoked", user.issuer)


def _run(app: Flask, user: User, ended: KeptTokens, at_cobot_alone: bool) -> None:
    """No logout waits for Cobot or another provider, nor fails because of it."""
    from ..api.revocation import revoke

    with app.app_context():
        revoke(user, ended, at_cobot_alone=at_cobot_alone)
