"""Who vouches for people in a space, how this app is registered there, and which names may be a space's at all.

A space's name becomes part of a host name that credentials are sent to. So it is checked before anything is done with
it, and never normalised (cobot.md 2, security.md M01, M02). Knows neither Flask nor the network.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .protocol.client import Client

Spaces = Callable[[str], bool]  # whether the app serves a well-formed space

NEVER_SPACES = frozenset({"www", "api", "localhost"})

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_space_name(name: object) -> bool:
    """Whether this is one lower-case DNS label of 1–63 letters, digits and inner hyphens, and no reserved one.

    Labels with hyphens in places 3 and 4 are reserved (RFC 5891 section 4.2.3.1): ``xn--`` names look like others.
    """
    return (
        isinstance(name, str) and _LABEL.fullmatch(name) is not None and name[2:4] != "--" and name not in NEVER_SPACES
    )


class Registration(NamedTuple):
    """How this app is registered at the issuer that vouches for one space.

    :ivar issuer: that issuer.
    :ivar client: who we are there.
    :ivar callback: the space whose own callback takes the answers; ``None`` for the common one.
    :ivar allowed_hosts: where the issuer's endpoints may live beside its own host; ``.cobot.me`` is all hosts below.
    :ivar is_named: whether the configuration names this space or issuer.
    """

    issuer: str
    client: Client
    callback: str | None
    allowed_hosts: tuple[str, ...]
    is_named: bool


@dataclass(frozen=True, slots=True)
class Issuers:
    """The issuers that one app trusts.

    :ivar provider: the registration at the global provider.
    :ivar template: the issuer of a space, with ``{space}`` in it; ``None`` if there is no such rule.
    :ivar exceptions: the issuers of some spaces that differ from the template's.
    :ivar serves: whether the app serves a well-formed space.
    """

    provider: Registration
    template: str | None
    exceptions: Mapping[str, str]
    serves: Spaces

    @classmethod
    def of(
        cls,
        *,
        client: Client,
        issuer: str,
        template: str | None,
        exceptions: Mapping[str, str],
        serves: Spaces,
        allowed_hosts: tuple[str, ...],
    ) -> "Issuers":
        """What the settings say, checked together.

        :raises ConfigurationError: ``setting_invalid`` if two spaces, or a space and the provider, share an issuer.
        """
        if len({issuer, *exceptions.values()}) <= len(exceptions):
            raise ConfigurationError(
                "setting_invalid",
                setting="COBOT_OIDC_SPACE_ISSUERS",
                found=dict(exceptions),
                expected="an issuer of its own for each space, other than ISSUER",
            )
        provider = Registration(issuer, client, None, allowed_hosts, True)
        return cls(provider, template, exceptions, serves)

    def issuer_of(self, space: str | None) -> str | None:
        """The issuer that vouches for people in this space. Every page view asks.

        :param space: ``None`` for the global provider.
        :returns: ``None`` if this is no space that the app serves (security.md M01, K19).
        """
        if space is None:
            return self.provider.issuer
        if not is_space_name(space) or not self.serves(space):
            return None
        if space in self.exceptions:
            return self.exceptions[space]
        if self.template is None:
            return None
        issuer = self.template.replace("{space}", space)
        # The global provider's own label below the same domain is no space.
        of_provider = has_space_in_host(self.template) and _netloc(issuer) == _netloc(self.provider.issuer)
        return None if of_provider else issuer

    def registration_of(self, space: str | None) -> Registration | None:
        """How the app is registered at the issuer of this space; ``None`` as for ``issuer_of``."""
        issuer = self.issuer_of(space)
        return None if issuer is None else self.provider._replace(issuer=issuer)


def has_space_in_host(template: str) -> bool:
    """Whether a template of issuers has the space in its host, rather than in its path."""
    return "{space}" in _netloc(template)


def hosts_of_spaces(template: str | None) -> tuple[str, ...]:
    """The hosts below the domain that holds the spaces, such as ``.cobot.me``; none if the space is in the path."""
    if template is None or not has_space_in_host(template):
        return ()
    host = urlsplit(template.replace("{space}", "space")).hostname or ""
    return ("." + host.partition(".")[2],)


def _netloc(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
