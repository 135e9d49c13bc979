"""Issuers and the documents that describe them: OpenID Connect Discovery 1.0 sections 3 and 4, RFC 8414, RFC 9207.

A document can only name endpoints on hosts that the configuration allows, because the code and the client secret are
sent there, and it can only narrow what the configuration allows. This module imports no cryptography, because apps
need ``check_issuer`` when they start.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigurationError, ProviderError
from .strict_json import JSONError, loads
from .urls import HTTPS_PORT, is_address, port_of, split_url

LARGEST_DOCUMENT = 64 * 1024  # bytes

_PROVIDER_DOMAINS = (".cobot.me",)


def check_issuer(issuer: object) -> str:
    """Check an issuer from the configuration (Discovery 1.0 section 2, Core 2 ``iss``).

    :param issuer: an https URL with host, optional port and path, without query, fragment or user; http only for
        the loopback. It is compared as it is and never normalised.
    :returns: the issuer.
    :raises ConfigurationError: ``issuer_invalid``.
    """
    if split_url(issuer) is None or "?" in cast(str, issuer):
        raise ConfigurationError("issuer_invalid", issuer=issuer)
    return cast(str, issuer)


def configuration_url(issuer: str) -> str:
    """The URL of an issuer's document (Discovery 1.0 section 4.1): a trailing slash is removed before the path."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The parts of a provider's document that we use, checked.

    :ivar issuer: exactly the issuer that was asked for.
    :ivar userinfo_endpoint: ``None`` if the provider has none, as for ``end_session_endpoint``.
    :ivar pushed_request_endpoint: where an authorization request can be sent beforehand (RFC 9126 section 5).
    :ivar id_token_signing_algorithms: what the document lists; ``None`` if it lists nothing.
    :ivar userinfo_signing_algorithms: the same for signed userinfo.
    :ivar client_authentications: how a client can prove who it is, as far as the document says so. Never acted upon.
    :ivar requires_pushed_requests: whether every authorization request must be sent beforehand.
    :ivar promises_response_issuer: whether answers must carry ``iss`` (RFC 9207 section 3).
    :ivar revocation_endpoint: where tokens can be ended (RFC 7009, RFC 8414 section 2); ``None`` also if it is not on
        an allowed host.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    id_token_signing_algorithms: tuple[str, ...] | None
    promises_response_issuer: bool
    pushed_request_endpoint: str | None = None
    userinfo_signing_algorithms: tuple[str, ...] | None = None
    requires_pushed_requests: bool = False
    client_authentications: tuple[str, ...] = field(default=(), compare=False)
    revocation_endpoint: str | None = None

    @classmethod
    def parse(
        cls,
        document: bytes | Mapping[str, object],
        *,
        issuer: str,
        allowed_hosts: Iterable[str] | None = None,
    ) -> "ProviderMetadata":
        """Read a provider's document (Discovery 1.0 sections 3 and 4.3).

        :param document: the bytes as received, at most 64 kB, or the JSON object read from them.
        :param issuer: the issuer that the document has to belong to, compared exactly.
        :param allowed_hosts: hosts that endpoints may be on besides the issuer's own: host names, or ``.cobot.me`` for
            all hosts below a domain. By default the hosts below ``cobot.me`` for an issuer there, otherwise none.
        :raises ProviderError: ``metadata_unusable`` if this is not such a document, ``metadata_issuer_mismatch``, or
            ``endpoint_forbidden`` if an endpoint is on another host, has no TLS, or is not a URL (R08–R10).
        :raises ConfigurationError: ``issuer_invalid`` if ``issuer`` itself is not one.
        """
        members = _members(document, issuer)
        rule = _EndpointRule.of(issuer, allowed_hosts)
        return cls(
            issuer=issuer,
            authorization_endpoint=rule.check(members, "authorization_endpoint"),
            token_endpoint=rule.check(members, "token_endpoint"),
            jwks_uri=rule.check(members, "jwks_uri"),
            userinfo_endpoint=rule.check_optional(members, "userinfo_endpoint"),
            end_session_endpoint=rule.check_optional(members, "end_session_endpoint"),
            id_token_signing_algorithms=_algorithms(members, "id_token_signing_alg_values_supported"),
            promises_response_issuer=members.get("authorization_response_iss_parameter_supported") is True,
            pushed_request_endpoint=rule.check_optional(members, "pushed_authorization_request_endpoint"),
            userinfo_signing_algorithms=_algorithms(members, "userinfo_signing_alg_values_supported"),
            requires_pushed_requests=members.get("require_pushed_authorization_requests") is True,
            client_authentications=_names(members.get("token_endpoint_auth_methods_supported")),
            revocation_endpoint=rule.only_if_allowed(members, "revocation_endpoint"),
        )


def registration_endpoint(
    document: bytes | Mapping[str, object], *, issuer: str, allowed_hosts: Iterable[str] | None = None
) -> str | None:
    """Where clients are registered (RFC 7591 section 3), read from a provider's document.

    It is no part of ``ProviderMetadata``: no login needs it, so none may fail because it is on another host, as it is
    for a space with a domain of its own.

    :param document: this and the other parameters as for ``ProviderMetadata.parse``.
    :returns: ``None`` if the provider does not say so.
    :raises ProviderError: as ``ProviderMetadata.parse``.
    :raises ConfigurationError: ``issuer_invalid``.
    """
    members = _members(document, issuer)
    return _EndpointRule.of(issuer, allowed_hosts).check_optional(members, "registration_endpoint")


def narrow_algorithms(configured: Collection[str], metadata: ProviderMetadata) -> tuple[str, ...]:
    """The algorithms that an id token may be signed with: configured, and listed by the provider if it lists any.

    :raises ConfigurationError: ``algorithms_disjoint`` if none is left (J02).
    """
    return _narrow(configured, metadata.id_token_signing_algorithms)


def narrow_userinfo_algorithms(configured: Collection[str], metadata: ProviderMetadata) -> tuple[str, ...]:
    """The same for a signed userinfo response.

    :raises ConfigurationError: ``algorithms_disjoint`` if none is left.
    """
    return _narrow(configured, metadata.userinfo_signing_algorithms)


def _narrow(configured: Collection[str], listed: Collection[str] | None) -> tuple[str, ...]:
    allowed = tuple(name for name in configured if listed is None or name in listed)
    if not allowed:
        raise ConfigurationError("algorithms_disjoint", expected=list(configured), got=list(listed or ()))
    return allowed


@dataclass(frozen=True, slots=True)
class _EndpointRule:
    """Which hosts one issuer's endpoints may be on: all belong to one owner (RFC 9700 section 4.4, X01)."""

    hosts: frozenset[str]
    domains: tuple[str, ...]
    ports: frozenset[int]
    on_loopback: bool

    @classmethod
    def of(cls, issuer: str, allowed_hosts: Iterable[str] | None) -> "_EndpointRule":
        url = urlsplit(issuer)
        own = url.hostname or ""
        if allowed_hosts is None:
            allowed_hosts = [domain for domain in _PROVIDER_DOMAINS if own.endswith(domain)]
        allowed = [own, *allowed_hosts]
        return cls(
            hosts=frozenset(host for host in allowed if not host.startswith(".")),
            domains=tuple(host for host in allowed if host.startswith(".")),
            # No other port, or a document could make us probe ports behind the firewall (R10).
            ports=frozenset({port_of(url), HTTPS_PORT}),
            on_loopback=url.scheme == "http",
        )

    def check_optional(self, members: Mapping[str, object], name: str) -> str | None:
        return None if members.get(name) is None else self.check(members, name)

    def only_if_allowed(self, members: Mapping[str, object], name: str) -> str | None:
        """An endpoint that no login needs, so that none fails because of where it is."""
        url = split_url(members.get(name))
        return cast(str, members[name]) if url is not None and self._may_be_at(url) else None

    def check(self, members: Mapping[str, object], name: str) -> str:
        endpoint = members.get(name)
        url = split_url(endpoint)
        if url is None or not self._may_be_at(url):
            raise ProviderError("endpoint_forbidden", endpoint=name, got=endpoint)
        return cast(str, endpoint)

    def _may_be_at(self, url: SplitResult) -> bool:
        host = url.hostname or ""
        # http is only for an issuer on the loopback, and then for each of its endpoints (R08).
        if self.on_loopback != (url.scheme == "http") or port_of(url) not in self.ports:
            return False
        return host in self.hosts or (not is_address(host) and host.endswith(self.domains))


def _members(document: bytes | Mapping[str, object], issuer: str) -> Mapping[str, object]:
    """What the document of this very issuer says."""
    check_issuer(issuer)
    members = _object(document)
    if members.get("issuer") != issuer:
        raise ProviderError("metadata_issuer_mismatch", expected=issuer, got=members.get("issuer"))
    return members


def _object(document: bytes | Mapping[str, object]) -> Mapping[str, object]:
    members: object = document
    if isinstance(document, bytes):
        try:
            members = loads(document, largest=LARGEST_DOCUMENT)
        except JSONError as error:
            raise ProviderError("metadata_unusable", reason=error.reason) from error
    if not isinstance(members, Mapping):
        raise ProviderError("metadata_unusable", reason="not an object")
    return members


def _names(listed: object) -> tuple[str, ...]:
    """No login depends on this list, so none may fail because of what is in it."""
    return tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()


def _algorithms(members: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    listed = members.get(name)
    if listed is None:
        return None
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ProviderError("metadata_unusable", reason=f"{name} is not a list of names")
    return tuple(cast("list[str]", listed))
