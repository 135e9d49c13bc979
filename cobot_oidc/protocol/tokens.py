"""The token request and the token response: RFC 6749 sections 4.1.3, 2.3.1, 5.1 and 5.2; OIDC Core 3.1.3.

Values in, values out: another module posts the request, and passes the status and bytes of the answer back.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ConfigurationError, LoginError, ProviderError
from .authentication import AssertionTerms, AuthenticatedForm, authenticated
from .client import Client
from .strict_json import JSONError, loads

_VSCHAR = re.compile(r"[\x20-\x7e]+")


def code_request(
    client: Client,
    terms: AssertionTerms,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    resources: Sequence[str] = (),
) -> AuthenticatedForm:
    """The request that exchanges an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

    :param code: from the authorization response.
    :param redirect_uri: exactly the one in the authorization request.
    :param code_verifier: the one whose S256 challenge was in the authorization request.
    :param resources: those of the authorization request, for which the token is wanted (RFC 8707 section 2.2).
    """
    parameters = {
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "code": code,
        "code_verifier": code_verifier,
    }
    return authenticated(client, [*parameters.items(), *(("resource", each) for each in resources)], terms)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """What the provider returned for the code (RFC 6749 section 5.1, OIDC Core 3.1.3.3); tokens are never in ``repr``.

    :ivar access_token: VSCHAR, for Cobot's API.
    :ivar id_token: not verified yet.
    :ivar expires_in: lifetime of the access token in seconds, ``None`` if the provider does not say (Cobot).
    :ivar scopes: what was granted; ``None`` if the provider does not say, because it is what was asked for.
    """

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    expires_in: int | None
    scopes: tuple[str, ...] | None

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
        access_token = answer.get("access_token")
        if not isinstance(access_token, str) or not _VSCHAR.fullmatch(access_token):
            raise ProviderError("token_response_unusable", reason="access_token is missing or not VSCHAR")
        token_type = answer.get("token_type")
        if not isinstance(token_type, str) or token_type.lower() != "bearer":  # section 7.1: any case
            raise ProviderError("token_response_unusable", reason="token_type is not bearer", got=token_type)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str) or not id_token:
            raise ProviderError("token_response_unusable", reason="id_token is missing")
        scope = answer.get("scope")
        scopes = tuple(scope.split()) if isinstance(scope, str) else None
        return cls(access_token, id_token, _expires_in(answer.get("expires_in")), scopes)


def _json_object(body: bytes) -> dict[str, object]:
    """The answer's members; none if it is not a JSON object, as errors may be HTML or empty (docs/cobot.md 3)."""
    try:
        answer = loads(body)
    except JSONError:
        return {}
    return answer if isinstance(answer, dict) else {}


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
