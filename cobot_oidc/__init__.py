"""Log in with Cobot: the OpenID Connect relying party for Flask.

Names are imported when first used, so that ``cobot_oidc.protocol`` can be had without Flask.
"""

from typing import TYPE_CHECKING

from .protocol.lazy import lazy_names

if TYPE_CHECKING:
    from .configuration import CobotOIDCConfig
    from .current import current_space, current_user
    from .errors import CobotOIDCError, ConfigurationError, LoginError, ProviderError, TokenError
    from .extension import CobotOIDC
    from .guards import login_required
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
    "from_host",
    "from_subdomain",
    "from_view_arg",
    "login_failed",
    "login_required",
    "oidc_event",
    "user_logged_in",
    "user_logged_out",
]

_HOME = {
    "AnonymousUser": "user",
    "CobotOIDC": "extension",
    "CobotOIDCConfig": "configuration",
    "CobotOIDCError": "errors",
    "ConfigurationError": "errors",
    "LoginError": "errors",
    "ProviderError": "errors",
    "TokenError": "errors",
    "User": "user",
    "current_space": "current",
    "current_user": "current",
    "from_host": "spaces",
    "from_subdomain": "spaces",
    "from_view_arg": "spaces",
    "login_failed": "signals",
    "login_required": "guards",
    "oidc_event": "signals",
    "user_logged_in": "signals",
    "user_logged_out": "signals",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
