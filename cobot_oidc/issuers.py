"""Which issuer vouches for which space, and how this app is registered there. Knows no Flask and no network."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from .protocol.client import Client
from .spaces import is_space_name


class Registration(NamedTuple):
    """How this app is registered at the issuer that vouches for one space.

    :ivar callback: the space whose own callback takes the answers; ``None`` for the common callback.
    :ivar allowed_hosts: where the issuer's endpoints may be beside its own host.
    :ivar is_named: whether the configuration names the issuer, rather than admitting every well-formed space.
    """

    issuer: str
    client: Client
    callback: str | None
    allowed_hosts: tuple[str, ...]
    is_named: bool


class Issuers(NamedTuple):
    """Who vouches for whom."""

    issuer: str
    template: str | None
    exceptions: Mapping[str, Registration]
    client: Client
    allowed_hosts: tuple[str, ...]
    serves: Callable[[str], bool]
    serves_all: bool

    def issuer_of(self, space: str | None) -> str | None:
        if space is None:
            return self.issuer
        if not is_space_name(space) or not self.serves(space):
            return None
        if space in self.exceptions:
            return self.exceptions[space].issuer
        if self.template is None:
            return None
        issuer = self.template.replace("{space}", space)
        in_host = "{space}" in self.template.partition("://")[2].partition("/")[0]
        return None if in_host and urlsplit(issuer).netloc == urlsplit(self.issuer).netloc else issuer

    def registration_of(self, space: str | None) -> Registration | None:
        issuer = self.issuer_of(space)
        if issuer is None:
            return None
        if space is not None and space in self.exceptions:
            return self.exceptions[space]
        return Registration(issuer, self.client, None, self.allowed_hosts, space is None or not self.serves_all)
