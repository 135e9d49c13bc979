"""The stand-in as a WSGI app: what each host and path answers (docs/cobot.md 1-4)."""

import secrets
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from .authorization_server import authorization_server, claims_about
from .pages import pages
from .people import Person
from .registration import add_registration
from .state import AccessToken, RecordedRequest, State

SECRETS = ("state", "nonce", "code", "code_verifier", "client_secret")  # parameters that clients send
SCOPES = ("openid", "email", "profile")


def create_app(state: State) -> Flask:
    """The app of one stand-in. It only answers on the loopback."""
    app = Flask(__name__)
    app.secret_key = secrets.token_hex()
    app.config["SESSION_COOKIE_NAME"] = "standin"
    server = authorization_server(app, state)

    @app.before_request
    def guard() -> None:
        state.requests.append(RecordedRequest(request.method, request.host, request.path))
        state.secrets.update(request.values[name] for name in SECRETS if request.values.get(name))
        if request.remote_addr not in ("127.0.0.1", "::1") or not _is_local(request.host):
            abort(
                403, "This stand-in only answers on this machine. It is not Cobot, and must not be used in production."
            )

    @app.after_request
    def alter(response: Response) -> Response:
        return _altered(state, response)

    @app.get("/.well-known/openid-configuration", endpoint="metadata")
    def metadata() -> Response:
        return _said(state, "metadata", _metadata(state, _issuer(state)))

    @app.get("/jwks.json", endpoint="key_set")
    def key_set() -> Response:
        return _said(state, "key_set", state.keys.document())

    @app.post("/oauth/access_token", endpoint="token")
    def token() -> Response:
        response: Response = server.create_token_response()
        if response.is_json:
            state.secrets.update(str(response.get_json().get(name, "")) for name in ("access_token", "id_token"))
            state.secrets.discard("")
            response.data = jsonify(state.alterations.apply("token", _issuer(state), response.get_json())).data
        return response

    @app.get("/api/userinfo", endpoint="userinfo")
    def userinfo() -> Response:
        token = _bearer(state)
        claims = claims_about(token.person, state.space_at(request.host), token.scope)
        return _said(state, "userinfo", claims)

    @app.get("/api/user", endpoint="api_user")
    def user() -> Response:
        token = _bearer(state)
        if "read_user" not in token.scope.split():
            abort(403)
        return jsonify(_user(state, token.person))

    @app.get("/api/access_tokens/<token>", endpoint="api_token")
    def access_token(token: str) -> Response:
        return jsonify({"scope": _token(state, token).scope.split()})

    @app.delete("/api/access_tokens/<token>", endpoint="api_revocation")
    def revocation(token: str) -> tuple[str, int]:
        del state.tokens[_token(state, token).token]
        return "", 204

    @app.post("/api/access_tokens/<token>/space", endpoint="api_space_token")
    def space_token(token: str) -> Response:
        known = _token(state, token)
        if request.values.get("space_id") not in known.person.admin_of:
            abort(403)
        issued = AccessToken(secrets.token_hex(32), known.client_id, known.person, known.scope)
        state.tokens[issued.token] = issued
        return jsonify({"scope": issued.scope, "token": issued.token, "client_id": issued.client_id})

    @app.errorhandler(404)
    def not_found(error: HTTPException) -> Any:
        # A pitfall of Cobot: on www any unknown *.json is valid JSON about something else, with status 200.
        if state.issuer_at(request.host) == state.issuer and request.path.endswith(".json"):
            return jsonify({"name": "Cobot", "locale": "en", "features": []})
        return error

    add_registration(app, server, state)
    app.register_blueprint(pages(state, server))
    return app


def _issuer(state: State) -> str:
    issuer = state.issuer_at(request.host)
    if issuer is None:
        abort(404)
    return issuer


def _is_local(host: str) -> bool:
    name = host.partition(":")[0]
    return name in ("localhost", "127.0.0.1") or name.endswith(".localhost")


def _metadata(state: State, issuer: str) -> dict[str, Any]:
    """As recorded at Cobot: only ``none`` for authentication, and nothing that Cobot does not have."""
    claims = ["sub", "email", "iss", "profile"]
    if issuer != state.issuer:
        claims += ["name", "picture", "phone_number"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/access_token",
        "userinfo_endpoint": f"{issuer}/api/userinfo",
        "jwks_uri": f"{issuer if _has_own_domain(state) else state.issuer}/jwks.json",
        "registration_endpoint": f"{state.issuer}/oauth/register",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "claims_supported": claims,
        "claims_parameter_supported": False,
        "client_id_metadata_document_supported": True,
    }


def _has_own_domain(state: State) -> bool:
    return request.host.partition(":")[0] in state.domains


def _user(state: State, person: Person) -> dict[str, Any]:
    return {
        "id": person.subject,
        "email": person.email,
        "memberships": [
            {
                "id": membership.id,
                "space_subdomain": space,
                "space_name": state.spaces[space],
                "space_link": state.space_issuer(space),
                "link": f"{state.space_issuer(space)}/api/memberships/{membership.id}",
            }
            for space, membership in person.memberships.items()
        ],
        "admin_of": [
            {
                "space_subdomain": space,
                "space_name": state.spaces[space],
                "space_link": state.space_issuer(space),
                "name": person.name,
            }
            for space in person.admin_of
        ],
    }


def _bearer(state: State) -> AccessToken:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token not in state.tokens:
        abort(401)
    return state.tokens[token]


def _token(state: State, token: str) -> AccessToken:
    if token not in state.tokens:
        abort(404)
    return state.tokens[token]


def _said(state: State, part: str, document: dict[str, Any]) -> Response:
    return jsonify(state.alterations.apply(part, _issuer(state), document))


def _altered(state: State, response: Response) -> Response:
    issuer = state.issuer_at(request.host)
    if issuer is None or request.endpoint is None:
        return response
    reply = state.alterations.apply(f"reply:{request.endpoint}", issuer, None)
    if reply is None:
        return response
    if reply.delay:
        state.stopping.wait(reply.delay)
    if reply.status is not None:
        response.status_code = reply.status
    if reply.body is not None:
        response.data = reply.body
    response.headers.update(reply.headers)
    return response
