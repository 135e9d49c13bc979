"""Tokens that are ended at the provider (RFC 7009)."""

from ..protocol.client import Client
from ..protocol.revocation import TokenKind, revocation_request
from .provider import Provider


def revoke(provider: Provider, client: Client, endpoint: str, *, token: str, kind: TokenKind) -> bool:
    """Tell the provider that a token is not valid any more.

    :param endpoint: the ``revocation_endpoint`` of its document.
    :returns: whether it says that this is so, as it does of a token that it does not know either (section 2.2).
    :raises ProviderError: if it cannot be reached, or fails at the moment.
    """
    form = revocation_request(client, provider.assertion_terms(), token=token, kind=kind)
    return provider.post(endpoint, form).status == 200
