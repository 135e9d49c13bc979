"""The token request and the token response: RFC 6749 sections 4.1.3, 2.3.1, 5.1, 5.2 and 6; OIDC Core 3.1.3 and 12.

Values in, values out: another module posts the request, and passes the status and bytes of the answer back.
"""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from authlib.oauth2 import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from ..errors import APIError, ConfigurationError, LoginError, ProviderError
from .client import Client
from .strict_json import JSONError, loads

_VSCHAR = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form to post to the token endpoint; none of it is shown in ``repr``.

    :ivar headers: HTTP headers, which include the client's credentials for ``client_secret_basic``.
    :ivar body: ``application/x-www-form-urlencoded``.
    """

    headers: dict[str, str] = field(repr=False)
    body: str = field(repr=False)

    @classmethod
    def for_code(cls, client: Client, *, code: str, redirect_uri: str, code_verifier: str) -> "TokenRequest":
        """The request that exchanges an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

        :param code: from the authorization response.
        :param redirect_uri: exactly the one in the authorization request.
        :param code_verifier: the one whose S256 challenge was in the authorization request.
        """
        form = prepare_token_request(
            "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=code_verifier
        )
        return cls._of(client, form)

    @classmethod
    def for_refresh(cls, client: Client, *, refresh_token: str) -> "TokenRequest":
        """The request for a new access token, with the scopes that were granted (RFC 6749 section 6)."""
        return cls._of(client, prepare_token_request("refresh_token", refresh_token=refresh_token))

    @classmethod
    def _of(cls, client: Client, form: str) -> "TokenRequest":
        method = _basic if client.authentication == "client_secret_basic" else client.authentication
        authentication = ClientAuth(client.client_id, client.client_secret, method)
        _, headers, body = authentication.prepare("POST", "", {}, form)
        return cls(
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"} | headers,
            body=body,
        )


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What the provider returned for the code (RFC 6749 section 5.1, OIDC Core 3.1.3.3); tokens are never in ``repr``.

    :ivar access_token: VSCHAR, for Cobot's API.
    :ivar id_token: not verified yet.
    :ivar expires_in: lifetime of the access token in seconds, ``None`` if the provider does not say (Cobot).
    :ivar scopes: what was granted; ``None`` if the provider does not say, because it is what was asked for.
    :ivar refresh_token: ``None`` if the provider gave none.
    """

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    expires_in: int | None
    scopes: tuple[str, ...] | None
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, status: int, body: bytes) -> "TokenResponse":
        """Read the token endpoint's answer.

        :param status: the HTTP status.
        :param body: the bytes of the answer, at most 256 kB.
        :raises LoginError: ``code_refused`` if the provider rejects the code: ``invalid_grant`` (RFC 6749 section 5.2)
            with any status, or status 403.
        :raises ConfigurationError: ``client_refused`` if it rejects our client.
        :raises ProviderError: ``token_response_unusable`` for everything else that is not a token response, including
            one without an id token (C19, F26, N08).
        """
        answer = _json_object(body)
        if status != 200 or "error" in answer:
            raise _refusal(status, answer.get("error"), answer.get("error_description"))
        access_token = _access_token(answer)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str) or not id_token:
            raise ProviderError("token_response_unusable", reason="id_token is missing")
        scope = answer.get("scope")
        scopes = tuple(scope.split()) if isinstance(scope, str) else None
        expires_in = _expires_in(answer.get("expires_in"))
        return cls(access_token, id_token, expires_in, scopes, _refresh_token(answer))


@dataclass(frozen=True, slots=True)
class RefreshResponse:
    """What the provider returned for a refresh token (RFC 6749 section 6, OIDC Core 12.2); ``repr`` shows no token.

    :ivar refresh_token: the one to use from now on; ``None`` if the one before stays valid.
    :ivar id_token: not verified yet; ``None`` if there is none.
    :ivar expires_in: as in ``TokenResponse``.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    expires_in: int | None

    @classmethod
    def parse(cls, status: int, body: bytes) -> "RefreshResponse":
        """Read the token endpoint's answer.

        :raises APIError: ``refresh_refused`` if the provider rejects the refresh token.
        :raises ConfigurationError: ``client_refused`` if it rejects our client.
        :raises ProviderError: ``token_response_unusable`` for everything else that is not a token response.
        """
        answer = _json_object(body)
        if status != 200 or "error" in answer:
            error, description = answer.get("error"), answer.get("error_description")
            if error == "invalid_grant":
                raise APIError("refresh_refused", description=description or "")
            refusal = _refusal(status, error, description)
            if isinstance(refusal, LoginError):  # 403 without invalid_grant: nobody says that the token is not valid
                raise ProviderError("token_response_unusable", http_status=status, error=error or "")
            raise refusal
        access_token, id_token = _access_token(answer), answer.get("id_token")
        if id_token is not None and (not isinstance(id_token, str) or not id_token):
            raise ProviderError("token_response_unusable", reason="id_token is not text")
        return cls(access_token, _refresh_token(answer), id_token, _expires_in(answer.get("expires_in")))


def _basic(
    client: ClientAuth, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """HTTP Basic with both parts form-urlencoded first (RFC 6749 section 2.3.1), which Authlib omits."""
    credentials = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret or '')}"
    headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode("ascii")).decode("ascii")
    return uri, headers, body


def _json_object(body: bytes) -> dict[str, object]:
    """The answer's members; none if it is not a JSON object, as errors may be HTML or empty (docs/cobot.md 3)."""
    try:
        answer = loads(body)
    except JSONError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _access_token(answer: dict[str, object]) -> str:
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not _VSCHAR.fullmatch(access_token):
        raise ProviderError("token_response_unusable", reason="access_token is missing or not VSCHAR")
    token_type = answer.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":  # section 7.1: any case
        raise ProviderError("token_response_unusable", reason="token_type is not bearer", got=token_type)
    return access_token


def _refresh_token(answer: dict[str, object]) -> str | None:
    """One that is not VSCHAR (RFC 6749 appendix A.17) is none: no login fails for it."""
    refresh_token = answer.get("refresh_token")
    return refresh_token if isinstance(refresh_token, str) and _VSCHAR.fullmatch(refresh_token) else None


def _refusal(status: int, error: object, description: object) -> LoginError | ConfigurationError | ProviderError:
    if error == "invalid_grant":
        return LoginError("code_refused", description=description or "")
    if error in ("invalid_client", "unauthorized_client") or (error is None and status == 401):
        return ConfigurationError("client_refused", http_status=status, error=error or "")
    if status == 403:  # not in RFC 6749, but some providers send it instead of 400
        return LoginError("code_refused", http_status=status, error=error or "", description=description or "")
    return ProviderError(
        "token_response_unusable", http_status=status, error=error or "", description=description or ""
    )


def _expires_in(value: object) -> int | None:
    """Cobot never sends it, others send numbers; a number in a string is common and harmless."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return int(value)
    return None
