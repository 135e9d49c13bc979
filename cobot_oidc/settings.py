"""One app's settings as a value, and the one question that they answer: who vouches for a space."""

from typing import NamedTuple

from .issuers import Issuers
from .provider.settings import ProviderSettings


class Settings(NamedTuple):
    """What one app is configured to be; ``docs/configuration.md`` describes each key.

    Lifetimes are in seconds. ``serves`` tells whether the app serves a well-formed space.
    """

    issuers: Issuers
    scopes: tuple[str, ...]
    redirect_uri: str | None
    url_prefix: str
    after_login: str
    after_logout: str
    session_lifetime: int
    session_idle_lifetime: int | None
    claims: tuple[str, ...]
    userinfo: bool
    logout_at_provider: bool
    embedded: bool
    json_blueprints: frozenset[str]
    redis_url: str | None
    request_timeout: float
    provider: ProviderSettings

    def __repr__(self) -> str:
        return f"<Settings of {self.issuers.client.client_id!r} at {self.issuers.issuer!r}>"  # without what an URL's password may be


def has_space_in_host(template: str) -> bool:
    """Whether a template of issuers has the space in its host, rather than in its path."""
    return "{space}" in template.partition("://")[2].partition("/")[0]
