"""The type of this extension's part of ``app.config``. Written by ``make docs`` from ``settings``."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypedDict

from .identity.user import User


class CobotOIDCConfig(TypedDict, total=False):
    """Every setting, for type checkers and editors; ``docs/configuration.md`` describes each."""

    COBOT_OIDC_CLIENT_ID: str
    COBOT_OIDC_CLIENT_SECRET: str | None
    COBOT_OIDC_CLIENT_KEY: str | Mapping[str, Any] | Collection[str | Mapping[str, Any]] | None
    COBOT_OIDC_CLIENT_AUTH: Literal[
        "client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none"
    ]
    COBOT_OIDC_CLIENT_AUTH_ALGORITHM: str | None
    COBOT_OIDC_CLIENT_AUTH_AUDIENCE: str | None
    COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS: bool
    COBOT_OIDC_ISSUER: str
    COBOT_OIDC_SPACE_ISSUER: str | None
    COBOT_OIDC_SPACE_ISSUERS: Mapping[str, str | Mapping[str, Any]]
    COBOT_OIDC_SPACES: str | Collection[str] | Callable[[], Collection[str]] | Callable[[str], bool]
    COBOT_OIDC_ALLOWED_HOSTS: str | Collection[str]
    COBOT_OIDC_SCOPES: str | Collection[str]
    COBOT_OIDC_REDIRECT_URI: str | None
    COBOT_OIDC_URL_PREFIX: str
    COBOT_OIDC_AFTER_LOGIN: str | Callable[[User], str] | None
    COBOT_OIDC_AFTER_LOGOUT: str | None
    COBOT_OIDC_SESSION_LIFETIME: int
    COBOT_OIDC_SESSION_IDLE_LIFETIME: int | None
    COBOT_OIDC_CLAIMS: str | Collection[str]
    COBOT_OIDC_USERINFO: bool | Literal["signed"]
    COBOT_OIDC_LOGOUT_AT_PROVIDER: bool
    COBOT_OIDC_BACKCHANNEL_LOGOUT: bool
    COBOT_OIDC_JSON_BLUEPRINTS: str | Collection[str]
    COBOT_OIDC_LANGUAGE: Callable[[], object] | None
    COBOT_OIDC_EMBEDDED: bool
    COBOT_OIDC_REDIS_URL: str | None
    COBOT_OIDC_KEEP_TOKEN: bool
    COBOT_OIDC_REFRESH_TOKENS: bool
    COBOT_OIDC_REVOKE_TOKEN: bool
    COBOT_OIDC_MEMBERSHIP: bool
    COBOT_OIDC_MEMBERSHIP_LIFETIME: float
    COBOT_OIDC_MEMBERSHIP_STALE: float
    COBOT_OIDC_API_URL: str | None
    COBOT_OIDC_API_LIMIT: str
    COBOT_OIDC_ALGORITHMS: str | Collection[str]
    COBOT_OIDC_LEEWAY: float
    COBOT_OIDC_MAX_IAT_AGE: float
    COBOT_OIDC_TRUSTED_AUDIENCES: str | Collection[str]
    COBOT_OIDC_REQUIRE_KID: bool
    COBOT_OIDC_CONNECT_TIMEOUT: float
    COBOT_OIDC_READ_TIMEOUT: float
    COBOT_OIDC_TOTAL_TIMEOUT: float
    COBOT_OIDC_REQUEST_TIMEOUT: float
    COBOT_OIDC_METADATA_LIFETIME: float
    COBOT_OIDC_METADATA_STALE: float
    COBOT_OIDC_KEYS_LIFETIME: float
    COBOT_OIDC_KEYS_STALE: float
    COBOT_OIDC_PROXIES: Mapping[str, str]
    COBOT_OIDC_CA_BUNDLE: str | None
