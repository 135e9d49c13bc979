"""Cobot's API as the user of this request."""

from functools import partial

from ..context import the_app
from ..errors import APIError, ConfigurationError
from ..identity import tokens
from ..identity.current import identity_of
from ..identity.user import User
from ..installation import installation
from .client import CobotAPI


def api_of(user: User) -> CobotAPI:
    """The API with the token that the app keeps for a user of this browser.

    :raises APIError: ``token_missing``; with refresh tokens also ``refresh_refused`` and ``token_not_renewed``.
    :raises ConfigurationError: ``setting_missing`` if the app keeps no tokens.
    """
    if not installation().settings.keep_token:
        raise ConfigurationError("setting_missing", setting="COBOT_OIDC_KEEP_TOKEN", expected="True")
    identity = identity_of(user)
    return api_with(None if identity is None else identity.kept.token, user)


def api_with(held: str | None, user: User) -> CobotAPI:
    """The same with a token as a login's entry in the session holds it.

    :raises APIError: as ``api_of``.
    """
    renew = None
    if held is not None and installation().settings.refresh_tokens:
        from . import renewal  # for apps that use refresh tokens

        token = renewal.token_of(user, held)
        renew = partial(renewal.token_after_refusal, the_app(), user, held)
    else:
        token = tokens.kept(held, user)
    if token is None:
        raise APIError("token_missing")
    return CobotAPI(token, space=user.space, user=user.subject, renew=renew)
