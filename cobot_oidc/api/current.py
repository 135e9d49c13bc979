"""Cobot's API as the user of this request."""

from ..errors import APIError, ConfigurationError
from ..identity import tokens
from ..identity.current import identity_of
from ..identity.user import User
from ..installation import installation
from .client import CobotAPI


def api_of(user: User) -> CobotAPI:
    """The API with the token that the app keeps for a user of this browser.

    :raises APIError: ``token_missing``. :raises ConfigurationError: ``setting_missing`` if the app keeps no tokens.
    """
    if not installation().settings.keep_token:
        raise ConfigurationError("setting_missing", setting="COBOT_OIDC_KEEP_TOKEN", expected="True")
    identity = identity_of(user)
    token = None if identity is None else tokens.kept(identity.kept.token, user)
    if token is None:
        raise APIError("token_missing")
    return CobotAPI(token, space=user.space, user=user.subject)
