"""Log in with Cobot: the OpenID Connect relying party for Flask.

Names are imported when they are first used, so that ``cobot_oidc.protocol`` can be used without Flask.
"""

from typing import TYPE_CHECKING

from ._lazy import lazy_names

if TYPE_CHECKING:
    from .api.client import CobotAPI, Download
    from .api.people import Administration, Me, SpaceToken
    from .configuration import CobotOIDCConfig
    from .errors import APIError, CobotOIDCError, ConfigurationError, LoginError, ProviderError, TokenError
    from .events import login_failed, oidc_event, user_logged_in, user_logged_out
    from .extension import CobotOIDC
    from .guards import (
        admin_required,
        login_required,
        membership_required,
        require_membership,
        require_user,
        requires_scope,
    )
    from .identity.current import current_space, current_user, current_users
    from .identity.user import AnonymousUser, Membership, StandardClaims, Standing, User
    from .spaces import from_host, from_subdomain, from_view_arg

    __version__: str

__all__ = [
    "APIError",
    "Administration",
    "AnonymousUser",
    "CobotAPI",
    "CobotOIDC",
    "CobotOIDCConfig",
    "CobotOIDCError",
    "ConfigurationError",
    "Download",
    "LoginError",
    "Me",
    "Membership",
    "ProviderError",
    "SpaceToken",
    "StandardClaims",
    "Standing",
    "TokenError",
    "User",
    "admin_required",
    "current_space",
    "current_user",
    "current_users",
    "from_host",
    "from_subdomain",
    "from_view_arg",
    "login_failed",
    "login_required",
    "membership_required",
    "oidc_event",
    "require_membership",
    "require_user",
    "requires_scope",
    "user_logged_in",
    "user_logged_out",
]

_MODULES = (
    ".errors",
    ".events",
    ".identity.user",
    ".spaces",
    ".configuration",
    ".identity.current",
    ".guards",
    ".extension",
    ".api.people",
    ".api.client",
)

if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name
    _public_name, __dir__ = lazy_names(__name__, __all__, _MODULES)

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("cobot-oidc")
        return _public_name(name)
