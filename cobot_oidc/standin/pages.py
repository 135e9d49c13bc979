"""What people see of the stand-in: login, consent, and the page that changes how it behaves."""

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from .alterations import Reply
from .frames import add_frames
from .limits import Allowance
from .logouts import add_end_session
from .scopes import in_words
from .state import State
from .visitor import check_csrf, csrf, known, log_in, log_out, logged_in

# What the control page offers; tests can do more through ``StandIn``.
LIES = {
    "wrong-issuer": "id tokens name another issuer",
    "wrong-audience": "id tokens are for another app",
    "expired": "id tokens have expired",
    "no-id-token": "the token response has no id token",
    "server-error": "the token endpoint fails (500)",
    "discovery-down": "the discovery document fails (503)",
    "api-limit": "the API answers that there were too many requests (429)",
    "api-error": "the API fails (500)",
    "no-opener": "login pages cut off the window that opened them",
}


def pages(state: State, server: AuthorizationServer) -> Blueprint:
    """The pages of one stand-in."""
    blueprint = Blueprint("pages", __name__, template_folder="templates")

    @blueprint.context_processor
    def names() -> dict[str, Any]:
        space = state.space_at(request.host)
        return {
            "place": state.spaces[space] if space else "Cobot (all spaces)",
            "csrf": csrf(),
            "signed_in": logged_in(state),
        }

    @blueprint.route("/oauth/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        if state.issuer_at(request.host) is None:
            abort(404)
        person = logged_in(state)
        try:
            grant = server.get_consent_grant(end_user=person)
        except OAuth2Error as error:
            return _refused(state, error)
        if request.method == "POST":
            check_csrf()
            if "cancel" in request.form:
                return server.create_authorization_response(grant=grant, grant_user=None)
            if "person" in request.form:
                log_in(state, request.form["person"])
                return redirect(request.full_path, 303)
            if "other" in request.form:
                log_out()
                return redirect(request.full_path, 303)
            if person is None:
                abort(400)
            return server.create_authorization_response(grant=grant, grant_user=person)
        if person is None:
            return render_template(
                "standin/sign_in.html", people=state.people.values(), spaces=state.spaces, may_cancel=True
            )
        return render_template(
            "standin/consent.html",
            person=person,
            place_of_person=list(state.people).index(person.key),
            client=grant.client,
            scopes=[in_words(scope) for scope in (grant.request.payload.scope or "").split()],
        )

    @blueprint.after_request
    def protect(response: Response) -> Response:
        """As providers do: nobody may frame the login, and if told so, it cuts off whoever opened it."""
        if request.endpoint == "pages.authorize":
            response.headers["X-Frame-Options"] = "DENY"
            response.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
            if state.opener_policy is not None:
                response.headers["Cross-Origin-Opener-Policy"] = state.opener_policy
        return response

    @blueprint.get("/")
    def home() -> Any:
        return redirect(url_for("pages.control"))

    @blueprint.get("/stand-in")
    def control() -> Any:
        return render_template(
            "standin/control.html", state=state, lies=LIES, spaces=state.spaces, done=request.args.get("done", "")[:100]
        )

    @blueprint.post("/stand-in")
    def change() -> Response:
        check_csrf()
        done = _change(state, request.form)
        return redirect(url_for("pages.control", done=done), 303)

    add_frames(blueprint, state)
    add_end_session(blueprint, server, state)
    return blueprint


def _change(state: State, form: Any) -> str:
    action = form.get("action")
    if action == "rotate":
        return f"id tokens are signed with {state.keys.rotate()} from now on"
    if action == "reset":
        state.reset()
        return "everything is reset"
    if action == "sign-out":
        log_out()
        return "logged out of Cobot"
    if action == "person":
        person = known(state, form.get("key", ""))
        person.name, person.email = form.get("name") or None, form.get("email", "")
        return f"{person.key} is changed"
    if action == "lie" and form.get("lie") in LIES:
        _lie(state, form["lie"])
        return LIES[form["lie"]]
    return abort(400)


def _lie(state: State, lie: str) -> None:
    alterations = state.alterations
    if lie == "wrong-issuer":
        alterations.alter("id_token_claims", {"iss": "https://elsewhere.example"})
    elif lie == "wrong-audience":
        alterations.alter("id_token_claims", {"aud": "another-app"})
    elif lie == "expired":
        alterations.alter("id_token_claims", lambda claims: {**claims, "exp": claims["iat"] - 3600})
    elif lie == "no-id-token":
        alterations.alter("token", lambda token: {name: token[name] for name in token if name != "id_token"})
    elif lie == "server-error":
        alterations.reply("token", Reply(status=500, body=b"Internal Server Error"))
    elif lie == "api-limit":
        state.limits.allow(Allowance(calls=0, memberships=0))
    elif lie == "api-error":
        alterations.reply("api", Reply(status=500, body=b"Internal Server Error"))
    elif lie == "no-opener":
        state.opener_policy = "same-origin"
    else:
        alterations.reply("metadata", Reply(status=503, body=b"Service Unavailable"))


def _refused(state: State, error: OAuth2Error) -> Any:
    """Send the error to the app if its redirect URI is known to be right (RFC 6749 section 4.1.2.1), or show a page."""
    client = state.clients.get(request.values.get("client_id", ""))
    if client is not None and request.values.get("redirect_uri", client.redirect_uri) == client.redirect_uri:
        error.redirect_uri = client.redirect_uri
        status, _, headers = error()
        return Response(status=status, headers=headers)
    asked = {"error": error.error, "description": error.description, "clients": state.clients, "client": client}
    return render_template("standin/refused.html", **asked), 400
