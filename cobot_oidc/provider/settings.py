"""How providers are talked to and believed: the settings, with the defaults that relying parties trust."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class ProviderSettings(NamedTuple):
    """One app's settings for all of its providers. Times are in seconds.

    :ivar algorithms: that id tokens may be signed with; a document can only narrow them.
    :ivar leeway: that a provider's clock may differ from ours.
    :ivar max_iat_age: after which an id token is too old to begin with.
    :ivar trusted_audiences: others that an id token may also be for.
    :ivar require_kid: refuse id tokens that name no key.
    :ivar connect_timeout: for one connection. ``read_timeout``: between two reads. ``total_timeout``: for one call.
    :ivar longest_idle: that a kept connection may have been before it is used again.
    :ivar proxies: URL scheme to proxy URL. Nothing is taken from the environment.
    :ivar ca_bundle: file of the authorities to trust; ``None`` for certifi's.
    :ivar metadata_lifetime: how long a document is fresh, and with ``metadata_stale`` how long after that it serves
        while the provider is down; ``keys_lifetime`` and ``keys_stale`` are the same for key sets.
    :ivar most_issuers: held at once; the least recently used goes.
    """

    algorithms: tuple[str, ...] = ("RS256",)
    leeway: float = 60
    max_iat_age: float = 600
    trusted_audiences: tuple[str, ...] = ()
    require_kid: bool = False
    connect_timeout: float = 3
    read_timeout: float = 5
    total_timeout: float = 10
    longest_idle: float = 30
    proxies: Mapping[str, str] = MappingProxyType({})
    ca_bundle: str | None = None
    metadata_lifetime: float = 3600
    metadata_stale: float = 86400
    keys_lifetime: float = 600
    keys_stale: float = 3600
    most_issuers: int = 1000
