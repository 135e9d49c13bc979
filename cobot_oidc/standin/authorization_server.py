"""Authlib's authorization server with the stand-in's memory and Cobot's peculiarities (docs/cobot.md 3)."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationCodeGrant, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidScopeError
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from authlib.oidc.core.util import create_half_hash
from flask import Flask, Request, request, session
from joserfc import jwt

from . import refresh_tokens
from .authentication import METHODS, ClientAssertion
from .people import Person
from .pushed_requests import forget_pushed, pushed_payload
from .refresh_tokens import RefreshGrant
from .state import AccessToken, IssuedCode, State

ID_TOKEN_LIFETIME = 3600  # seconds
AUTHORIZE = "pages.authorize"
ACR = "urn:cobot.localhost:one-click"  # if no better one is asked for, but any is


def authorization_server(app: Flask, state: State) -> AuthorizationServer:
    """The server of one stand-in: the code flow with OpenID Connect, and PKCE supported but not enforced."""

    def save_token(token: dict[str, Any], asked: OAuth2Request) -> None:
        issued = AccessToken(
            token["access_token"],
            asked.client.client_id,
            asked.user,
            token.get("scope", ""),
            expires_at=None if state.refresh is None else state.clock() + state.refresh.lifetime,
        )
        state.tokens[issued.token] = issued

    server_type = type("Server", (_Server,), {"state": state})
    server: AuthorizationServer = server_type(app, query_client=state.clients.get, save_token=save_token)

    def new_token(*_args: Any, scope: str | None = None, **_kwargs: Any) -> dict[str, Any]:
        """Like Cobot's: 64 hex digits, ``bearer`` in lower case, no lifetime unless the stand-in was told to."""
        lifetime = {} if state.refresh is None else {"expires_in": state.refresh.lifetime}
        return {"access_token": secrets.token_hex(32), "token_type": "bearer", "scope": scope or "", **lifetime}

    def renewed_id_token(token: dict[str, Any], client_id: str, code: IssuedCode) -> str:
        return _id_token(state, token["access_token"], client_id, code, {"auth_time": code.auth_time})

    server.register_token_generator("default", new_token)
    server.register_client_auth_method("client_assertion_jwt", ClientAssertion(state))
    grant = type("Grant", (_CodeGrant,), {"state": state})
    server.register_grant(grant, [CodeChallenge(required=False), _OpenID(state)])
    refreshing = {"state": state, "id_token": staticmethod(renewed_id_token), "TOKEN_ENDPOINT_AUTH_METHODS": METHODS}
    server.register_grant(type("Refresh", (RefreshGrant,), refreshing))
    return server


def claims_about(person: Person, space: str | None, scope: str) -> dict[str, Any]:
    """What an issuer says about a person: at a space the data of the membership, globally those of the account.

    Only this function decides which claims are sent where, because docs/cobot.md only assumes it.
    """
    scopes = scope.split()
    claims: dict[str, Any] = {"sub": person.subject}
    if "email" in scopes:
        claims["email"] = person.email
    if space is not None:
        membership = person.memberships.get(space)
        claims["name"] = membership.name if membership else person.name
        claims["picture"] = membership.picture if membership else None
        claims["phone_number"] = membership.phone_number if membership else None
    elif "profile" in scopes:
        claims["name"] = person.name
    return claims


class _Server(AuthorizationServer):  # type: ignore[misc] # Authlib is untyped here
    state: State

    def create_oauth2_request(self, _request: Any) -> FlaskOAuth2Request:
        asked = _LoopbackRequest(request)
        if request.endpoint == AUTHORIZE:
            asked.payload = pushed_payload(self.state) or asked.payload
        return asked


class _LoopbackRequest(FlaskOAuth2Request):  # type: ignore[misc] # as above
    """Authlib requires https except for ``localhost``; names below it are this machine too (RFC 6761)."""

    def __init__(self, http_request: Request) -> None:
        https_url = http_request.url.replace("http://", "https://", 1)
        OAuth2Request.__init__(self, method=http_request.method, uri=https_url, headers=http_request.headers)
        self._request = http_request
        self.payload = FlaskOAuth2Payload(http_request)


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc] # as above
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    state: State

    def validate_requested_scope(self) -> None:
        asked = (self.request.payload.scope or "").split()
        client = self.state.clients[self.request.payload.client_id]
        if not set(asked) <= set(client.scopes):
            raise InvalidScopeError()

    def save_authorization_code(self, code: str, asked: OAuth2Request) -> None:
        data = asked.payload.data
        self.state.codes[code] = IssuedCode(
            code=code,
            client_id=asked.client.client_id,
            redirect_uri=asked.payload.redirect_uri or asked.client.redirect_uri,
            scope=asked.payload.scope or "",
            person=asked.user,
            issuer=self.state.issuer_at(request.host) or self.state.issuer,
            nonce=data.get("nonce"),
            auth_time=int(self.state.clock()),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
            acr=_acr(data),
            sid=session.get("sid", ""),
        )
        self.state.authorization_requests.append({name: list(asked.payload.datalist[name]) for name in data})
        forget_pushed(self.state)

    def query_authorization_code(self, code: str, client: Any) -> IssuedCode | None:
        issued = self.state.codes.get(code)
        here = self.state.issuer_at(request.host)
        return issued if issued and issued.client_id == client.client_id and issued.issuer == here else None

    def delete_authorization_code(self, authorization_code: IssuedCode) -> None:
        self.state.codes.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code: IssuedCode) -> Person:
        return authorization_code.person


class _OpenID(OpenIDCode):  # type: ignore[misc] # as above
    def __init__(self, state: State) -> None:
        super().__init__(require_nonce=False)
        self._state = state

    def exists_nonce(self, nonce: str, asked: OAuth2Request) -> bool:
        return any(code.nonce == nonce and code.client_id == asked.payload.client_id for code in self._codes())

    def encode_id_token(self, token: dict[str, Any], asked: OAuth2Request) -> str:
        code: IssuedCode = asked.authorization_code
        claims = self.get_authorization_code_claims(code)
        return _id_token(self._state, token["access_token"], asked.client.client_id, code, claims)

    def process_token(self, grant: Any, response: Any) -> Any:
        token = super().process_token(grant, response)
        token.pop("scope", None)  # Cobot has never been seen to send it
        if self._state.refresh is not None:
            asked = grant.request
            client_id, code = asked.client.client_id, asked.authorization_code
            token["refresh_token"] = refresh_tokens.issue(self._state, client_id, code.scope, code)
        return token

    def _codes(self) -> list[IssuedCode]:
        return list(self._state.codes.values())


def _acr(data: Mapping[str, str]) -> str | None:
    """The first that is asked for (OIDC Core 5.5.1.1, 3.1.2.1): people here can do whatever is wanted of them."""
    asked = (json.loads(data.get("claims", "{}")).get("id_token") or {}).get("acr", {})
    values = (asked or {}).get("values") or [(asked or {}).get("value")]
    wanted = [value for value in (*values, *data.get("acr_values", "").split()) if value]
    essential = bool((asked or {}).get("essential"))
    return wanted[0] if wanted else ACR if essential else None


def _id_token(state: State, access_token: str, client_id: str, code: IssuedCode, claims: dict[str, Any]) -> str:
    """A signed id token, altered as the stand-in was told to.

    :param claims: those that depend on how it is asked for.
    """
    header = {"alg": state.keys.algorithm, "kid": state.keys.kid, "typ": "JWT"}
    now = int(state.clock())
    claims = {
        "iss": code.issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + ID_TOKEN_LIFETIME,
        "at_hash": create_half_hash(access_token, state.keys.algorithm).decode(),
        **claims,
        **claims_about(code.person, state.space_at(request.host), code.scope),
    }
    if state.offers_logout:
        claims["sid"] = code.sid
        state.logins[client_id, code.sid] = code.person
    header = state.alterations.apply("id_token_header", code.issuer, header)
    claims = state.alterations.apply("id_token_claims", code.issuer, claims)
    signed = jwt.encode(header, claims, state.keys.signing_key, algorithms=[state.keys.algorithm])
    altered: str = state.alterations.apply("id_token", code.issuer, signed)
    return altered
