"""The settings of a client: the one that the app is at its provider, or one at the issuer of a single space."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from .issuers import SpaceIssuer, is_space_name
from .protocol.client import Client, ClientAuthentication
from .protocol.urls import split_url
from .settings_checks import (
    ALGORITHMS,
    Check,
    Unfit,
    allowed_hosts,
    boolean,
    checked_issuer,
    one_of,
    optional,
    reads,
    text,
)
from .settings_table import Following, Required, rows, setting

if TYPE_CHECKING:
    from .protocol.client_keys import ClientKey

_AUTHENTICATION = one_of("client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none")
_NEEDS = {"private_key_jwt": ["key"], "none": []}  # the others: a secret
_HMAC = {"HS256": 32, "HS384": 48, "HS512": 64}  # bytes of the shortest secret (RFC 7518 section 3.2)
_ALGORITHM = Check(one_of(*_HMAC, *ALGORITHMS).read, "str")  # its fourteen names are on no page


@reads("str | Mapping[str, Any] | Collection[str | Mapping[str, Any]]")
def client_key(value: object) -> object:
    """The keys themselves are read with the client, as the algorithm is known there."""
    if not isinstance(value, (str, list, tuple, Mapping)) or not value:
        raise Unfit("a private key as a PEM text or a JWK, or a list of them")
    return value


@reads("str")
def audience(value: object) -> str:
    url = text.read(value)
    if split_url(url) is None:
        raise Unfit("the https URL by which the provider knows itself, such as that of its token endpoint")
    return url


def _usual_authentication(secret: object, key: object) -> str:
    if secret is not None:
        return "client_secret_post"
    return "none" if key is None else "private_key_jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Which client the app is, and how it proves that. ``client`` tells whether all of it fits together."""

    client_id: str = setting(
        text,
        "the client's id, from its registration; to try it out, `python -m cobot_oidc.standin` prints one",
        default=Required(),
    )
    client_secret: str | None = setting(
        optional(text),
        "without it, the client is a public one, which only PKCE protects",
        default=None,
        is_secret=True,
    )
    client_key: object = setting(
        optional(client_key),
        "a private key for `private_key_jwt`, as a PEM string or a JWK; or [a list of them](client-authentication.md), "
        "of which the first one signs",
        default=None,
        is_secret=True,
    )
    client_auth: str = setting(
        _AUTHENTICATION,
        "or `client_secret_basic`, `client_secret_jwt`. [How the client proves who it is](client-authentication.md). "
        "Never taken from the provider's document",
        default=Following(
            lambda before: _usual_authentication(before.get("client_secret"), before.get("client_key")),
            "`client_secret_post` with a secret, `private_key_jwt` with a key, else `none`",
        ),
    )
    client_auth_algorithm: str | None = setting(
        optional(_ALGORITHM),
        "the algorithm that signs the client's assertions",
        default=None,
        shown="`HS256` with a secret; that of the key",
    )
    client_auth_audience: str | None = setting(
        optional(audience),
        "the audience of the client's assertions, if a provider insists on [something other than its "
        "issuer](client-authentication.md#what-an-assertion-says), such as the URL of its token endpoint",
        default=None,
        shown="the issuer",
    )
    pushed_authorization_requests: bool = setting(
        boolean,
        "the client must [push its authorization requests](authorization-request.md#pushed-requests) to the provider "
        "first. It also does so if the provider's document requires it of everybody; costs a request at each login",
        default=False,
    )

    def client(self) -> Client:
        """The client, if its authentication matches what it has: a secret, a key, or neither.

        :raises Unfit: about one of these settings.
        """
        has = [what for what, value in (("secret", self.client_secret), ("key", self.client_key)) if value is not None]
        if has != _NEEDS.get(self.client_auth, ["secret"]):
            raise Unfit(
                "none without a client secret; client_secret_post, client_secret_basic or client_secret_jwt with one; "
                "private_key_jwt with a client key and no secret",
                about="CLIENT_AUTH",
            )
        signs = self.client_auth in ("client_secret_jwt", "private_key_jwt")
        if not signs and (self.client_auth_algorithm is not None or self.client_auth_audience is not None):
            raise Unfit(
                "client_secret_jwt or private_key_jwt, as CLIENT_AUTH_ALGORITHM and _AUDIENCE are for these alone",
                about="CLIENT_AUTH",
            )
        client = Client(
            self.client_id,
            self.client_secret,
            cast(ClientAuthentication, self.client_auth),
            audience=self.client_auth_audience,
            pushes=self.pushed_authorization_requests,
        )
        if self.client_auth == "client_secret_jwt":
            return replace(client, algorithm=_hmac(self.client_secret or "", self.client_auth_algorithm or "HS256"))
        if self.client_auth == "private_key_jwt":
            return replace(client, keys=_keys(self.client_key, self.client_auth_algorithm))
        return client


def _hmac(secret: str, algorithm: str) -> str:
    """The algorithm, if it is an HMAC and the secret is long enough for it."""
    if algorithm not in _HMAC:
        raise Unfit(f"one of {' '.join(_HMAC)} for client_secret_jwt", about="CLIENT_AUTH_ALGORITHM")
    if len(secret) < _HMAC[algorithm]:
        expected = f"{_HMAC[algorithm]} characters or more for {algorithm} (RFC 7518 section 3.2)"
        raise Unfit(f"a client secret of {expected}", about="CLIENT_SECRET")
    return algorithm


def _keys(given: object, algorithm: str | None) -> "tuple[ClientKey, ...]":
    from .protocol.client_keys import KeyUnfit, read_keys  # imports cryptography, which no other app starts with

    try:
        return read_keys(given, algorithm)
    except KeyUnfit as error:
        reason = str(error)
    raise Unfit(f"another private key: {reason}", about="CLIENT_KEY")


_OF_ITS_CLIENT = [row.name for row in rows(ClientSettings)]
_OF_A_SPACE_ISSUER = dict.fromkeys(("issuer", *_OF_ITS_CLIENT, "allowed_hosts")).keys()


@reads("Mapping[str, str | Mapping[str, Any]]")
def space_issuers(value: object) -> Mapping[str, SpaceIssuer]:
    if not isinstance(value, Mapping) or not all(is_space_name(space) for space in value):
        raise Unfit("a dictionary of space to issuer, such as {'co-up': 'https://co-up.cobot.me'}")
    return {space: _space_issuer(space, entry) for space, entry in value.items()}


def _space_issuer(space: str, entry: object) -> SpaceIssuer:
    given = {"issuer": entry} if isinstance(entry, str) else entry
    if not isinstance(given, Mapping) or "issuer" not in given or not given.keys() <= _OF_A_SPACE_ISSUER:
        raise Unfit(f"for {space!r} an issuer, or a dictionary of {', '.join(_OF_A_SPACE_ISSUER)}")
    try:
        client = _own_client(given)
        hosts = allowed_hosts.read(given.get("allowed_hosts", ()))
    except Unfit as unfit:
        raise Unfit(f"for {space!r} {unfit.expected}", unfit.remedy) from None
    issuer = checked_issuer(given["issuer"], f"for {space!r} an https URL without query, fragment or user")
    return SpaceIssuer(issuer, client, hosts)


def _own_client(given: Mapping[str, object]) -> Client | None:
    """The client that the app has at this issuer alone; ``None`` if it is the one of its provider."""
    if "client_id" not in given:
        if any(given.get(name) is not None for name in _OF_ITS_CLIENT):
            raise Unfit(f"a client_id together with {', '.join(_OF_ITS_CLIENT[1:])}")
        return None
    values: dict[str, Any] = {}
    for row in rows(ClientSettings):
        values[row.name] = row.check.read(given[row.name]) if row.name in given else row.usual(values)
    return ClientSettings(**values).client()
