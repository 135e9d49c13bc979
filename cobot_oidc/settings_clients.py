"""The clients that an app is: how one proves who it is, and those that it has at the issuers of single spaces."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

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

if TYPE_CHECKING:
    from .protocol.client_keys import ClientKey

_OF_ITS_CLIENT = (
    "client_secret",
    "client_auth",
    "client_key",
    "client_auth_algorithm",
    "client_auth_audience",
    "pushed_authorization_requests",
)
_OF_A_SPACE_ISSUER = dict.fromkeys(("issuer", "client_id", *_OF_ITS_CLIENT, "allowed_hosts")).keys()
CLIENT_AUTH = one_of("client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none")
_HMAC = {"HS256": 32, "HS384": 48, "HS512": 64}  # bytes of the shortest secret (RFC 7518 section 3.2)
CLIENT_AUTH_ALGORITHM = Check(one_of(*_HMAC, *ALGORITHMS).read, "str")  # its fourteen names are on no page


@reads("str | Mapping[str, Any] | Collection[str | Mapping[str, Any]]")
def client_key(value: object) -> object:
    """The keys themselves are read with the client, as the algorithm is known there."""
    if not isinstance(value, (str, list, tuple, Mapping)) or not value:
        raise Unfit("a private key as a PEM text or a JWK, or a list of them")
    return value


@reads("str")
def client_auth_audience(value: object) -> str:
    url = text.read(value)
    if split_url(url) is None:
        raise Unfit("the https URL by which the provider knows itself, such as that of its token endpoint")
    return url


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
    secret, key = optional(text).read(given.get("client_secret")), optional(client_key).read(given.get("client_key"))
    if "client_id" not in given:
        if any(given.get(name) is not None for name in _OF_ITS_CLIENT):
            raise Unfit(f"a client_id together with {', '.join(_OF_ITS_CLIENT)}")
        return None
    return client_of(
        text.read(given["client_id"]),
        secret,
        CLIENT_AUTH.read(given.get("client_auth", usual_authentication(secret, key))),
        key,
        optional(CLIENT_AUTH_ALGORITHM).read(given.get("client_auth_algorithm")),
        optional(client_auth_audience).read(given.get("client_auth_audience")),
        boolean.read(given.get("pushed_authorization_requests", False)),
    )


def usual_authentication(secret: object, key: object) -> str:
    """How a client authenticates unless the app says so."""
    if secret is not None:
        return "client_secret_post"
    return "none" if key is None else "private_key_jwt"


def client_of(
    client_id: str,
    secret: str | None,
    method: str,
    key: object = None,
    algorithm: str | None = None,
    audience: str | None = None,
    pushes: bool = False,
) -> Client:
    """A client, if its authentication matches what it has: a secret, a key, or neither."""
    needs = "key" if method == "private_key_jwt" else None if method == "none" else "secret"
    if needs != ("key" if key is not None else None if secret is None else "secret") or (secret and key):
        raise Unfit(
            "none without a client secret; client_secret_post, client_secret_basic or client_secret_jwt with one; "
            "private_key_jwt with a client key and no secret",
            about="CLIENT_AUTH",
        )
    if method == "client_secret_jwt":
        algorithm = algorithm or "HS256"
        if algorithm not in _HMAC:
            raise Unfit(f"one of {' '.join(_HMAC)} for client_secret_jwt", about="CLIENT_AUTH_ALGORITHM")
        if len(secret or "") < _HMAC[algorithm]:
            expected = f"{_HMAC[algorithm]} characters or more for {algorithm} (RFC 7518 section 3.2)"
            raise Unfit(f"a client secret of {expected}", about="CLIENT_SECRET")
        return Client(client_id, secret, "client_secret_jwt", algorithm=algorithm, audience=audience, pushes=pushes)
    if method == "private_key_jwt":
        keys = _keys(key, algorithm)
        return Client(client_id, None, "private_key_jwt", keys=keys, audience=audience, pushes=pushes)
    if algorithm is not None or audience is not None:
        expected = "client_secret_jwt or private_key_jwt, as CLIENT_AUTH_ALGORITHM and _AUDIENCE are for these alone"
        raise Unfit(expected, about="CLIENT_AUTH")
    return Client(client_id, secret, cast(ClientAuthentication, method), pushes=pushes)


def _keys(given: object, algorithm: str | None) -> "tuple[ClientKey, ...]":
    from .protocol.client_keys import KeyUnfit, read_keys  # imports cryptography, which no other app starts with

    try:
        return read_keys(given, algorithm)
    except KeyUnfit as error:
        reason = str(error)
    raise Unfit(f"another private key: {reason}", about="CLIENT_KEY")
