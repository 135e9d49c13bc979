"""Every error of this package under one roof. The classes and their codes live with the rules that raise them."""

from .protocol.errors import (
    CobotOIDCError,
    ConfigurationError,
    LoginError,
    ProviderError,
    TokenError,
)

__all__ = ["CobotOIDCError", "ConfigurationError", "LoginError", "ProviderError", "TokenError"]
