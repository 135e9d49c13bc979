"""More claims about somebody who logs in, plain or signed (OpenID Connect Core 5.3)."""

from ..errors import ProviderError, TokenError
from ..protocol.claims import Claims, clean_claims
from ..protocol.client import Client
from ..protocol.discovery import narrow_userinfo_algorithms
from ..protocol.strict_json import JSONError, loads
from ..protocol.userinfo import UnverifiedUserinfo, check_subject
from .copies import is_json
from .http import HTTPResponse
from .provider import Provider


def userinfo(
    provider: Provider, access_token: str, subject: str, *, client: Client, only_signed: bool = False
) -> Claims:
    """Request more claims about the subject of a verified id token (OIDC Core 5.3).

    To be called within ``room_for_a_login``. A signed answer is verified, whether it has to be signed or not.

    :param client: our client at this issuer, for which a signed answer has to be made.
    :param only_signed: whether a plain answer is refused.
    :raises ProviderError: ``userinfo_unusable`` if there is no such endpoint, or if the answer is neither a JSON
        object nor a JWT about this very subject (5.3.2, O04, O05); ``userinfo_not_signed``, ``userinfo_encrypted``.
    :raises TokenError: if the answer is signed, and not valid.
    """
    endpoint = provider.metadata().userinfo_endpoint
    if endpoint is None:
        raise ProviderError("userinfo_unusable", reason="the document names no userinfo_endpoint")
    accept = "application/jwt" if only_signed else "application/json, application/jwt"
    headers = {"Authorization": f"Bearer {access_token}", "Accept": accept}
    answer = provider.get(endpoint, headers)
    if answer.status == 200 and _is_jwt(answer.content_type):
        return _signed_userinfo(provider, answer.body, subject, client)
    if answer.status != 200 or not is_json(answer.content_type):
        raise ProviderError("userinfo_unusable", http_status=answer.status, got=answer.content_type)
    if only_signed:
        raise ProviderError("userinfo_not_signed", got=answer.content_type)
    return _plain_userinfo(answer, subject)


def _signed_userinfo(provider: Provider, body: bytes, subject: str, client: Client) -> Claims:
    algorithms = narrow_userinfo_algorithms(provider.algorithms, provider.metadata())
    expected = provider.expected(client)._replace(algorithms=algorithms)
    try:
        token = UnverifiedUserinfo.parse(body, expected, subject=subject, now=provider.now())
        return provider.verified(token.jws, token.verify)
    except TokenError as error:
        error.note(of="the userinfo response")
        raise


def _is_jwt(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/jwt"


def _plain_userinfo(answer: HTTPResponse, subject: str) -> Claims:
    try:
        claims = loads(answer.body)
    except JSONError as error:
        raise ProviderError("userinfo_unusable", reason=error.reason) from error
    if not isinstance(claims, dict):
        raise ProviderError("userinfo_unusable", reason="not an object")
    check_subject(claims, subject)
    return clean_claims(claims)
