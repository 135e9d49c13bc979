"""The rules of OAuth 2.0 and OpenID Connect as functions of values: no Flask, no network, no clock.

Names are imported when they are first used: an app does not need any cryptography when it starts.
"""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ..errors import CobotOIDCError, ConfigurationError, LoginError, ProviderError, TokenError
    from .claims import Claims
    from .discovery import ProviderMetadata
    from .id_token import verify_id_token
    from .jws import VerifiedJWS, verify_jws
    from .keys import KeySet
    from .redirects import safe_next

__all__ = [
    "Claims",
    "CobotOIDCError",
    "ConfigurationError",
    "KeySet",
    "LoginError",
    "ProviderError",
    "ProviderMetadata",
    "TokenError",
    "VerifiedJWS",
    "safe_next",
    "verify_id_token",
    "verify_jws",
]

_MODULES = ("..errors", ".redirects", ".claims", ".discovery", ".keys", ".jws", ".id_token")

if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name
    __getattr__, __dir__ = lazy_names(__name__, __all__, _MODULES)
