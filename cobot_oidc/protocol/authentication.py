"""How the client authenticates at an endpoint: RFC 6749 section 2.3, OpenID Connect Core 9, RFC 7523, RFC 10070.

Values in, values out: the caller brings the time and the random identifier of an assertion.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import jwt
from authlib.common.urls import url_encode
from authlib.oauth2 import ClientAuth

from .client import Client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 section 2.2
ASSERTION_LIFETIME = 60  # seconds
TYPE = "client-authentication+jwt"  # RFC 10070 section 4

_NEEDS_ASSERTION = ("client_secret_jwt", "private_key_jwt")


@dataclass(frozen=True, slots=True)
class AuthenticatedForm:
    """A form to post to one of the provider's endpoints; none of it is shown in ``repr``.

    :ivar headers: HTTP headers, which include the client's credentials for ``client_secret_basic``.
    :ivar body: ``application/x-www-form-urlencoded``.
    :ivar credentials: what of it proves who the client is, and must not be repeated anywhere.
    """

    headers: dict[str, str] = field(repr=False)
    body: str = field(repr=False)
    credentials: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AssertionTerms:
    """What an assertion says besides who the client is.

    :param issuer: the provider's, and so the audience, unless the operator has named another (``Client.audience``).
        A list, or the URL of an endpoint from the document, where a malicious provider may name an honest one's, would
        make the assertion valid there too (RFC 10070).
    :param now: seconds since the epoch.
    :param token_id: random, and used once (``jti``); never shown in ``repr``.
    """

    issuer: str
    now: float
    token_id: str = field(repr=False)


def authenticated(client: Client, parameters: Sequence[tuple[str, str]], terms: AssertionTerms) -> AuthenticatedForm:
    """These parameters, and the proof that the client sends them.

    :param terms: for the methods that need an assertion.
    """
    adds_client_id = client.authentication != "client_secret_basic"
    pairs = [(name, value) for name, value in parameters if name != "client_id" or not adds_client_id]
    credentials = [client.client_secret or ""]
    if client.authentication in _NEEDS_ASSERTION:
        credentials.append(client_assertion(client, terms))
        pairs += [("client_id", client.client_id), ("client_assertion_type", ASSERTION_TYPE)]
        headers, body = {}, url_encode([*pairs, ("client_assertion", credentials[-1])])
    else:
        method = _basic if client.authentication == "client_secret_basic" else client.authentication
        authentication = ClientAuth(client.client_id, client.client_secret, method)
        _, headers, body = authentication.prepare("POST", "", {}, url_encode(pairs))
        credentials.append(headers.get("Authorization", "").removeprefix("Basic "))
    return AuthenticatedForm(
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"} | headers,
        body=body,
        credentials=tuple(credentials),
    )


def client_assertion(client: Client, terms: AssertionTerms) -> str:
    """A JWT in which the client says who it is, to this provider alone and for a minute (RFC 7523 section 3)."""
    now = int(terms.now)
    claims: dict[str, object] = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": client.audience or terms.issuer,
        "jti": terms.token_id,
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
    }
    if client.authentication == "private_key_jwt":
        return client.keys[0].sign(claims, typ=TYPE)
    return jwt.encode(claims, client.client_secret or "", client.algorithm, headers={"typ": TYPE})


def _basic(
    client: ClientAuth, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """HTTP Basic with both parts form-urlencoded first (RFC 6749 section 2.3.1), which Authlib omits."""
    credentials = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret or '')}"
    headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode("ascii")).decode("ascii")
    return uri, headers, body
