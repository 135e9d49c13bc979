"""What somebody is in their space: asked of Cobot at the login, and again while the token is kept.

A login does not prove a membership (docs/cobot.md 5), so nobody is a member who is not known to be one.
"""

from contextlib import nullcontext
from typing import TYPE_CHECKING

from flask import has_app_context, has_request_context

from ..context import the_app
from ..errors import CobotOIDCError, ConfigurationError, LoginError
from ..installation import Installation, installation
from .current import identity_of
from .stored import NOTHING_KEPT
from .user import Membership, Standing, User

if TYPE_CHECKING:
    from flask import Flask

    from ..api.client import CobotAPI
    from .standings import Standings


def standing_of(user: User) -> Standing:
    """What a user is in the space that they are logged in to.

    :raises ConfigurationError: ``setting_missing`` if the app does not ask for memberships.
    :raises LoginError: ``membership_unknown`` if Cobot cannot be asked, and no answer is recent enough;
        ``login_required`` if only another login can tell, as this one is from before the app asked.
    :raises APIError: ``token_refused`` if Cobot does not accept the kept token any more; ``token_missing``.
    """
    installed = installation()
    if not installed.settings.membership:
        raise ConfigurationError("setting_missing", setting="COBOT_OIDC_MEMBERSHIP", expected="True")
    identity = identity_of(user) if has_request_context() else None
    kept = NOTHING_KEPT if identity is None else identity.kept
    if identity is not None and not kept.can_tell_standing:
        raise LoginError("login_required", reason="this login is from before COBOT_OIDC_MEMBERSHIP was set")
    held = kept.token
    if held is None:  # it cannot be asked again: the answer is as old as the login
        if (standing := kept.standing) is None:
            raise LoginError("membership_unknown", space=user.space)
        return standing
    standings = installed.once("standings", lambda: _standings(installed))
    if (known := standings.known(user, kept)) is not None:
        return known
    app = the_app()
    return standings.find(user, kept, lambda: _ask_with_kept_token(app, user, held))


def known_standing(user: User) -> Standing | None:
    """The same; ``None`` if it is not known."""
    try:
        return standing_of(user)
    except CobotOIDCError:
        return None


def ask(user: User, api: "CobotAPI") -> Standing:
    """Ask Cobot what a user is in their space.

    :raises APIError: if there is no answer.
    """
    me = api.me()
    found = me.membership_in(user.space) if user.space is not None else None
    # The space's name is for people, and would make the session longer.
    membership = None if found is None else Membership(found.id, found.space)
    is_admin = user.space is not None and me.administrates(user.space)
    return Standing(membership, is_admin, int(installation().clock()), me.id)


def _standings(installed: Installation) -> "Standings":
    from .standings import Standings  # for apps that keep tokens to ask with

    return Standings(installed)


def _ask_with_kept_token(app: "Flask", user: User, held: str) -> Standing:
    from ..api.current import api_with  # imports requests and Authlib, which no page needs that asks nothing

    # Not another context within a request: what renews a token needs the session.
    with nullcontext() if has_app_context() else app.app_context():
        return ask(user, api_with(held, user))
