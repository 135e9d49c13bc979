"""The request that ends a token at the provider: RFC 7009 section 2.1."""

from typing import Literal

from .authentication import AssertionTerms, AuthenticatedForm, authenticated
from .client import Client

TokenKind = Literal["access_token", "refresh_token"]


def revocation_request(client: Client, terms: AssertionTerms, *, token: str, kind: TokenKind) -> AuthenticatedForm:
    """The form to post: the token, what it is, and the client's authentication."""
    return authenticated(client, [("token", token), ("token_type_hint", kind)], terms)
