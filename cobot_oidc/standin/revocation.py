"""Tokens that clients end themselves (RFC 7009), which other providers allow, by Authlib's endpoint. Cobot does not."""

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Flask, request

from .authentication import METHODS
from .refresh_tokens import IssuedRefreshToken, end_family
from .state import AccessToken, State


def add_revocation(app: Flask, server: AuthorizationServer, state: State) -> None:
    """Answer ``POST /oauth/revoke`` while there are refresh tokens."""
    server.register_endpoint(type("Revocation", (_Revocation,), {"state": state}))

    @app.post("/oauth/revoke", endpoint="revocation")
    def revoke() -> Any:
        if state.refresh is None or state.issuer_at(request.host) is None:
            return "", 404
        return server.create_endpoint_response(_Revocation.ENDPOINT_NAME)


class _Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib is untyped here
    CLIENT_AUTH_METHODS = METHODS
    state: State

    def query_token(self, token_string: str, _hint: str | None) -> IssuedRefreshToken | AccessToken | None:
        refresh_token = self.state.refresh_tokens.get(token_string)
        if refresh_token is not None and refresh_token.code.issuer != self.state.issuer_at(request.host):
            return None
        return refresh_token or self.state.tokens.get(token_string)

    def revoke_token(self, token: IssuedRefreshToken | AccessToken, _asked: Any) -> None:
        if isinstance(token, AccessToken):
            del self.state.tokens[token.token]
        else:  # with all that follow from the same login (section 2.1)
            with self.state.renewing:
                end_family(self.state, token.family)
