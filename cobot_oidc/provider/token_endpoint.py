"""What the token endpoint gives: verified claims and tokens for a code, and other tokens for a refresh token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..errors import CobotOIDCError
from ..protocol.authentication import AuthenticatedForm
from ..protocol.claims import Claims
from ..protocol.client import Client
from ..protocol.id_token import UnverifiedIDToken
from ..protocol.tokens import RefreshResponse, TokenResponse, code_request, refresh_request
from .provider import Provider

if TYPE_CHECKING:
    from ..protocol.refreshed import Original


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What the provider returned for a code.

    :ivar claims: the claims of the verified id token.
    :ivar access_token: the token for the provider's API; never shown in ``repr``.
    :ivar scopes: what was granted; ``None`` if that is what was asked for.
    :ivar id_token: as it came.
    :ivar refresh_token: ``None`` if there is none. Neither is shown in ``repr``.
    :ivar expires_in: seconds that the access token is valid; ``None`` if the provider does not say.
    """

    claims: Claims
    access_token: str = field(repr=False)
    scopes: tuple[str, ...] | None
    id_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int | None


def exchange(
    provider: Provider,
    client: Client,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    nonce: str,
    max_age: int | None = None,
    resources: Sequence[str] = (),
    required: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> TokenSet:
    """Exchange an authorization code, and verify the id token that is returned (OIDC Core 3.1.3).

    To be called within ``room_for_a_login``.

    :param client: our client at this issuer. The other parameters are those of the login's authorization request.
    :raises LoginError: ``code_refused``.
    :raises TokenError: if the id token is not valid.
    :raises ProviderError: if the provider cannot be reached or its answer is unusable.
    """
    form = code_request(
        client,
        provider.assertion_terms(),
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=code_verifier,
        resources=resources,
    )
    try:
        return _exchange(provider, client, form, nonce=nonce, max_age=max_age, required=required)
    except CobotOIDCError as error:
        error.conceal([code, code_verifier, nonce, *form.credentials])
        raise


def _exchange(
    provider: Provider,
    client: Client,
    form: AuthenticatedForm,
    *,
    nonce: str,
    max_age: int | None,
    required: Mapping[str, Sequence[str]],
) -> TokenSet:
    answer = provider.post(provider.metadata().token_endpoint, form)
    response = TokenResponse.parse(answer.status, answer.body)
    expected = provider.expected(client, nonce=nonce, max_age=max_age, required=required)
    claims = provider.verify(response.id_token, expected, access_token=response.access_token)
    return TokenSet(
        claims,
        response.access_token,
        response.scopes,
        response.id_token,
        response.refresh_token,
        response.expires_in,
    )


def refresh(provider: Provider, client: Client, *, refresh_token: str, original: "Original") -> RefreshResponse:
    """Exchange a refresh token (RFC 6749 section 6), and verify the id token if one is returned (OIDC Core 12.2).

    To be called within ``room_for_a_login``.

    :param client: our client at this issuer.
    :param original: what the login's id token said.
    :raises APIError: ``refresh_refused``.
    :raises TokenError: if the id token is not valid, or is about another login.
    :raises ProviderError: if the provider cannot be reached or its answer is unusable.
    """
    form = refresh_request(client, provider.assertion_terms(), refresh_token=refresh_token)
    try:
        answer = provider.post(provider.metadata().token_endpoint, form)
        response = RefreshResponse.parse(answer.status, answer.body)
        if response.id_token is not None:
            _check_refreshed(provider, client, response.id_token, response.access_token, original)
    except CobotOIDCError as error:
        error.conceal([refresh_token, *form.credentials])
        raise
    return response


def _check_refreshed(
    provider: Provider, client: Client, id_token: str, access_token: str, original: "Original"
) -> None:
    from ..protocol.refreshed import REFRESHED_RULES  # for apps that use refresh tokens

    expected = provider.expected(client)
    token = UnverifiedIDToken.parse(id_token, expected, now=provider.now(), rules=REFRESHED_RULES)
    original.check(provider.verified(token.jws, partial(token.verify, access_token=access_token)))
