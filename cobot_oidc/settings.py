"""One app's settings as a value, and the one question that they answer: who vouches for a space."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from .protocol.client import Client
from .provider.settings import ProviderSettings
from .spaces import is_space_name
from .user import User


class Settings(NamedTuple):
    """What one app is configured to be; ``docs/configuration.md`` describes each key.

    Lifetimes are in seconds. ``serves`` tells whether the app serves a well-formed space.
    """

    client: Client
    issuer: str
    space_issuer: str | None
    space_issuers: Mapping[str, str]
    serves: Callable[[str], bool]
    scopes: tuple[str, ...]
    redirect_uri: str | None
    url_prefix: str
    after_login: str | Callable[[User], str]
    after_logout: str | None
    session_lifetime: int
    session_idle_lifetime: int | None
    claims: tuple[str, ...]
    userinfo: bool
    logout_at_provider: bool
    embedded: bool
    json_blueprints: frozenset[str]
    redis_url: str | None
    provider: ProviderSettings

    def __repr__(self) -> str:
        return f"<Settings of {self.client.client_id!r} at {self.issuer!r}>"  # without what an URL's password may be

    def issuer_of(self, space: str | None) -> str | None:
        """The issuer that vouches for people in this space.

        :param space: ``None`` for the global provider.
        :returns: ``None`` where this is no space that the app serves (security.md M01, K19).
        """
        if space is None:
            return self.issuer
        if not is_space_name(space) or not self.serves(space):
            return None
        if space in self.space_issuers:
            return self.space_issuers[space]
        if self.space_issuer is None:
            return None
        issuer = self.space_issuer.replace("{space}", space)
        # The global provider's own label below the same domain is no space.
        of_provider = urlsplit(issuer).netloc == urlsplit(self.issuer).netloc and has_space_in_host(self.space_issuer)
        return None if of_provider else issuer


def has_space_in_host(template: str) -> bool:
    """Whether a template of issuers has the space in its host, rather than in its path."""
    return "{space}" in template.partition("://")[2].partition("/")[0]
