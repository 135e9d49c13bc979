"""The rules of OAuth 2.0 and OpenID Connect as functions of values: no Flask, no network, no clock.

Names are imported when first used: an app that starts needs none of the cryptography below.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .claims import Claims
    from .discovery import ProviderMetadata
    from .errors import CobotOIDCError, ConfigurationError, LoginError, ProviderError, TokenError
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

_HOME = {
    "Claims": "claims",
    "CobotOIDCError": "errors",
    "ConfigurationError": "errors",
    "KeySet": "keys",
    "LoginError": "errors",
    "ProviderError": "errors",
    "ProviderMetadata": "discovery",
    "TokenError": "errors",
    "VerifiedJWS": "jws",
    "safe_next": "redirects",
    "verify_id_token": "id_token",
    "verify_jws": "jws",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
