"""Logouts as other providers have them: at the provider, and sent to apps behind people's backs. Cobot has neither.

OpenID Connect RP-Initiated Logout 1.0, by Authlib's endpoint, and Back-Channel Logout 1.0.
"""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Blueprint, abort, render_template, request, session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .visitor import check_csrf, log_out

if TYPE_CHECKING:
    from .state import State

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = 120  # seconds of a logout token


def add_end_session(blueprint: Blueprint, server: AuthorizationServer, state: "State") -> None:
    """Answer ``/oauth/logout`` once the stand-in has been told to."""
    server.register_endpoint(type("EndSession", (_EndSession,), {"state": state}))

    @blueprint.route("/oauth/logout", methods=["GET", "POST"])
    def end_session() -> Any:
        if state.issuer_at(request.host) is None or not state.offers_logout:
            abort(404)
        try:
            asked = server.validate_endpoint_request(EndSessionEndpoint.ENDPOINT_NAME)
        except OAuth2Error as error:
            return render_template("standin/refused.html", error=error.error, description=error.description), 400
        if asked.needs_confirmation and request.method == "GET":
            return render_template("standin/logout.html", done=False)
        if asked.needs_confirmation:
            check_csrf()
        response = server.create_endpoint_response(EndSessionEndpoint.ENDPOINT_NAME, asked)
        return response or render_template("standin/logout.html", done=True)


class _EndSession(EndSessionEndpoint):  # type: ignore[misc] # Authlib is untyped
    state: "State"

    def get_server_jwks(self) -> dict[str, Any]:
        return self.state.keys.document()

    def _validate_id_token_hint(self, id_token_hint: str) -> dict[str, Any]:
        """As Authlib's, but by the stand-in's own clock, which need not be the machine's."""
        keys: Any = self.get_server_jwks()
        try:
            return dict(
                jwt.decode(id_token_hint, KeySet.import_key_set(keys), algorithms=[self.state.keys.algorithm]).claims
            )
        except (JoseError, ValueError) as error:
            raise InvalidRequestError("'id_token_hint' is not an id token of this issuer") from error

    def validate_request(self, asked: Any) -> Any:
        validated = super().validate_request(asked)
        claims = validated.id_token_claims
        if claims is not None and claims.get("iss") != self.state.issuer_at(request.host):
            validated.id_token_claims = validated.redirect_uri = None  # another issuer's
        return validated

    def end_session(self, asked: Any) -> None:
        sid = (asked.id_token_claims or {}).get("sid") or session.get("sid")
        log_out()
        issuer = self.state.issuer_at(request.host)
        for (client_id, of), person in list(self.state.logins.items()):
            uri = self.state.clients[client_id].backchannel_logout_uri
            if of == sid and uri is not None and issuer is not None:
                send(uri, logout_token(self.state, issuer, client_id, {"sub": person.subject, "sid": of}))


def logout_token(state: "State", issuer: str, client_id: str, about: Mapping[str, Any]) -> str:
    """A logout token, altered as the stand-in was told to.

    :param about: ``sub``, ``sid`` or both.
    """
    now = int(state.clock())
    claims = {
        "iss": issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_hex(16),
        "events": {EVENT: {}},
        **about,
    }
    header = {"alg": state.keys.algorithm, "kid": state.keys.kid, "typ": "logout+jwt"}
    header = state.alterations.apply("logout_token_header", issuer, header)
    claims = state.alterations.apply("logout_token_claims", issuer, claims)
    signed = jwt.encode(header, claims, state.keys.signing_key, algorithms=[state.keys.algorithm])
    altered: str = state.alterations.apply("logout_token", issuer, signed)
    return altered


def send(uri: str, token: str) -> int:
    """Post a logout token to an app on this machine.

    :returns: the status of its answer.
    """
    parts = urlsplit(uri)
    at = parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl()
    with requests.Session() as http:
        http.trust_env = False
        answer = http.post(
            at, data={"logout_token": token}, headers={"Host": parts.netloc}, timeout=10, allow_redirects=False
        )
    return answer.status_code
