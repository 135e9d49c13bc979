"""Dynamic client registration: RFC 7591 sections 2 and 3, and what of RFC 7592 its answer carries.

The answer becomes a configuration file. Therefore each value has to be printable ASCII, so that none of them can add a
line to it. Secrets are in no ``repr`` and in no error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import ProviderError
from .client import Client
from .strict_json import JSONError, loads

LARGEST_ANSWER = 64 * 1024  # bytes
LONGEST_VALUE = 2048  # characters
LATEST_TIME = 253402300799  # the last second of the year 9999

_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")  # VSCHAR (RFC 6749 appendix A), no blank around
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """A client to be registered (RFC 7591 section 3.1).

    :ivar name: what people read on the provider's consent page.
    :ivar authentication: ``none`` for a public client, which only PKCE protects.
    """

    name: str
    redirect_uri: str
    scopes: tuple[str, ...]
    authentication: Literal["client_secret_post", "none"]

    def members(self) -> dict[str, object]:
        """The JSON object to post (RFC 7591 section 2, OpenID Connect Registration 1.0 section 2)."""
        return {
            "client_name": self.name,
            "redirect_uris": [self.redirect_uri],
            "response_types": ["code"],
            "grant_types": ["authorization_code"],
            "scope": " ".join(self.scopes),
            "token_endpoint_auth_method": self.authentication,
            "application_type": "web",
        }


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """What the provider registered (RFC 7591 section 3.2.1); ``None`` stands for what it did not say.

    :ivar client_secret: never shown in ``repr``, as ``access_token``.
    :ivar secret_expires_at: seconds since the epoch; 0 if the secret does not expire.
    :ivar authentication: ``client_secret_post``, ``client_secret_basic`` or ``none``.
    :ivar management_uri: where the registration can be changed with ``access_token`` (RFC 7592 section 3).
    """

    client_id: str
    client_secret: str | None = field(repr=False)
    secret_expires_at: int | None
    redirect_uris: tuple[str, ...] | None
    authentication: Literal["client_secret_post", "client_secret_basic", "none"] | None
    scopes: tuple[str, ...] | None
    management_uri: str | None
    access_token: str | None = field(repr=False)

    @classmethod
    def parse(cls, status: int, body: bytes) -> "RegistrationResponse":
        """Read the registration endpoint's answer.

        :param status: the HTTP status.
        :param body: the bytes of the answer, at most 64 kB.
        :raises ProviderError: ``registration_refused`` if the provider does not register this client (RFC 7591 section
            3.2.2), ``registration_unusable`` for everything else that is no registration.
        """
        if status != 201:  # www.cobot.me answers 200 to much that it does not know (docs/cobot.md 1)
            raise _refusal(status, body)
        answer = _object(body)
        client_id = _text(answer, "client_id")
        if client_id is None:
            raise _unusable("client_id is missing")
        return cls(
            client_id=client_id,
            client_secret=_text(answer, "client_secret"),
            secret_expires_at=_time(answer, "client_secret_expires_at"),
            redirect_uris=_redirect_uris(answer),
            authentication=_authentication(answer),
            scopes=_scopes(answer),
            management_uri=_text(answer, "registration_client_uri"),
            access_token=_text(answer, "registration_access_token"),
        )

    def client(self, asked: RegistrationRequest) -> Client:
        """The client as the app can use it, whatever was asked for.

        A secret beside ``none`` is used if one was asked for: Cobot's documents name ``none`` where Cobot requires the
        secret (docs/cobot.md 3).

        :raises ProviderError: ``registration_unusable`` if a client with a secret came without one.
        """
        named = self.authentication or asked.authentication
        if named == "none" and (self.client_secret is None or asked.authentication == "none"):
            return Client(self.client_id, None, "none")
        if self.client_secret is not None:
            return Client(self.client_id, self.client_secret, "client_secret_post" if named == "none" else named)
        if self.authentication is None:  # nothing was said, and there is no secret
            return Client(self.client_id, None, "none")
        raise _unusable(f"{named} without a client_secret")


def _refusal(status: int, body: bytes) -> ProviderError:
    try:
        answer = loads(body, largest=LARGEST_ANSWER)
    except JSONError:
        answer = None
    members: Mapping[str, object] = answer if isinstance(answer, dict) else {}
    error, description = members.get("error"), members.get("error_description")
    if status in (401, 403) or (400 <= status < 500 and isinstance(error, str)):
        return ProviderError(
            "registration_refused", http_status=status, error=error or "", description=description or ""
        )
    return ProviderError("registration_unusable", http_status=status)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        answer = loads(body, largest=LARGEST_ANSWER)
    except JSONError as error:
        raise _unusable(error.reason) from None
    if not isinstance(answer, dict):
        raise _unusable("not an object")
    return answer


def _text(answer: Mapping[str, object], name: str) -> str | None:
    value = answer.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_VALUE or not _PRINTABLE.fullmatch(value):
        raise _unusable(f"{name} is not printable ASCII text of at most {LONGEST_VALUE} characters")
    return value


def _time(answer: Mapping[str, object], name: str) -> int | None:
    value = answer.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LATEST_TIME:
        raise _unusable(f"{name} is not a number of seconds since the epoch")
    return value


def _redirect_uris(answer: Mapping[str, object]) -> tuple[str, ...] | None:
    value = answer.get("redirect_uris")
    if value is None:
        return None
    if not isinstance(value, list) or not all(
        isinstance(uri, str) and len(uri) <= LONGEST_VALUE and _PRINTABLE.fullmatch(uri) for uri in value
    ):
        raise _unusable("redirect_uris is not a list of URLs")
    return tuple(value)


def _authentication(
    answer: Mapping[str, object],
) -> Literal["client_secret_post", "client_secret_basic", "none"] | None:
    value = answer.get("token_endpoint_auth_method")
    if value is None:
        return None
    for known in ("client_secret_post", "client_secret_basic", "none"):
        if value == known:
            return known
    raise _unusable("token_endpoint_auth_method is none that we have")


def _scopes(answer: Mapping[str, object]) -> tuple[str, ...] | None:
    value = answer.get("scope")
    if value is None:
        return None
    if not isinstance(value, str) or not all(map(_SCOPE.fullmatch, value.split(" ") if value else ())):
        raise _unusable("scope is not a list of scopes with spaces between them")
    return tuple(value.split())


def _unusable(reason: str) -> ProviderError:
    return ProviderError("registration_unusable", reason=reason)
