"""How clients prove who they are with assertions (RFC 7523, RFC 10070), verified by Authlib and joserfc."""

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from flask import request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from .state import RegisteredClient, State

TYPE = "client-authentication+jwt"
BY_SECRET, BY_KEY = "client_secret_jwt", "private_key_jwt"
METHODS = ("client_secret_post", "client_secret_basic", "client_assertion_jwt", "none")
LONGEST_LIFETIME = 300  # seconds
_ALGORITHMS = {
    BY_SECRET: ["HS256", "HS384", "HS512"],
    BY_KEY: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
}


class ClientAssertion(JWTBearerClientAssertion):  # type: ignore[misc] # Authlib is untyped here
    """Strict: the issuer is the only audience, the type is named, and nothing is used twice."""

    def __init__(self, state: State) -> None:
        super().__init__(leeway=0)
        self._state = state

    def get_audiences(self) -> list[str]:
        return [self._state.issuer_at(request.host) or ""]

    def resolve_client_public_key(self, client: RegisteredClient) -> Any:
        if client.authentication == BY_SECRET:
            return OctKey.import_key(client.client_secret or "")
        return KeySet.import_key_set(client.public_keys or {"keys": []})  # type: ignore[arg-type] # as registered

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Any:
        kind = BY_SECRET if isinstance(resolve_key, OctKey) else BY_KEY
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=_ALGORITHMS[kind])
            needed: dict[str, Any] = {name: {"essential": True} for name in ("iss", "sub", "aud", "exp", "iat", "jti")}
            jwt.JWTClaimsRegistry(int(self._state.clock()), self.leeway, **needed).validate(token.claims)
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description="the assertion is not valid") from error
        claims = token.claims
        if claims["iss"] != claims["sub"] or [claims["aud"]] != self.get_audiences():
            raise InvalidClientError(description="the client has to issue it, for this issuer alone")
        if token.header.get("typ") != TYPE or claims["exp"] - claims["iat"] > LONGEST_LIFETIME:
            raise InvalidClientError(description=f"typ has to be {TYPE}, and it may be valid for five minutes")
        if claims["jti"] in self._state.used_assertions:
            raise InvalidClientError(description="it was used before")
        self._state.used_assertions.add(claims["jti"])
        return claims
