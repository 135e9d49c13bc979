"""Log in with Cobot: the OpenID Connect relying party for Flask.

Names are imported when they are first used, so that ``cobot_oidc.protocol`` can be used without Flask.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .configuration import CobotOIDCConfig
    from .current import current_space, current_user, current_users
    from .errors import CobotOIDCError, ConfigurationError, LoginError, ProviderError, TokenError
    from .extension import CobotOIDC
    from .guards import login_required, require_user
    from .signals import login_failed, oidc_event, user_logged_in, user_logged_out
    from .spaces import from_host, from_subdomain, from_view_arg
    from .user import AnonymousUser, User

__all__ = [
    "AnonymousUser",
    "CobotOIDC",
    "CobotOIDCConfig",
    "CobotOIDCError",
    "ConfigurationError",
    "LoginError",
    "ProviderError",
    "TokenError",
    "User",
    "current_space",
    "current_user",
    "current_users",
    "from_host",
    "from_subdomain",
    "from_view_arg",
    "login_failed",
    "login_required",
    "oidc_event",
    "require_user",
    "user_logged_in",
    "user_logged_out",
]

if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name

    def __getattr__(name):
        if name in __all__:
            # In the order in which they import each other, so that no name imports more than its own module needs.
            for home in ("errors", "signals", "user", "spaces", "configuration", "current", "guards", "extension"):
                module = import_module(f".{home}", __name__)
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted(__all__)
