"""The pages of a space that show apps in an iframe, for its members and for its admins (docs/cobot.md 6)."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, make_response, redirect, render_template, request, session

from .people import Person
from .state import RegisteredClient, State
from .visitor import check_csrf, log_in, log_out, logged_in

GLOBAL = "www"  # what stands for the space at the global provider
LOCALES = {"en": "English", "de": "Deutsch"}


def add_frames(blueprint: Blueprint, state: State) -> None:
    """Show the apps at ``/members`` and ``/admin`` of each issuer."""

    @blueprint.route("/<any(members, admin):area>", methods=["GET", "POST"])
    def area(area: str) -> Any:
        if state.issuer_at(request.host) is None:
            abort(404)
        if request.method == "POST":
            _change(state)
            return redirect(request.full_path, 303)
        page = make_response(_page(state, area))
        page.headers["Cache-Control"] = "no-store"  # the way back must not show whoever was logged in before
        return page


def embedded_url(client: RegisteredClient, space: str | None, person: Person, locale: str) -> str:
    """What the iframe loads. As at Cobot, nothing of it is signed."""
    parts = urlsplit(client.embed_url)
    path = parts.path if space else parts.path.replace("/{space}", "")  # an app's page of all spaces
    parameters = {
        "cobot_embed": "true",
        "cobot_subdomain": space or GLOBAL,
        "cobot_user_id": person.subject,
        "cobot_locale": locale,
    }
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return parts._replace(path=path or "/", query=query).geturl().replace("{space}", space or GLOBAL)


def _page(state: State, area: str) -> Any:
    person, space = logged_in(state), state.space_at(request.host)
    if person is None:
        return render_template("standin/sign_in.html", people=state.people.values(), spaces=state.spaces)
    locale = session.get("locale", "en")
    client = _chosen(state)
    may_enter = _belongs(state, person, space, area)
    page = render_template(
        "standin/frames.html",
        area=area,
        person=person,
        people=state.people.values(),
        locale=locale,
        locales=LOCALES,
        clients=state.clients.values(),
        client=client,
        space=space,
        may_enter=may_enter,
        source=embedded_url(client, space, person, locale) if client else None,
    )
    return page, 200 if may_enter else 403


def _chosen(state: State) -> RegisteredClient | None:
    """The app of this request: the first one, if none is named."""
    client_id = request.args.get("app") or next(iter(state.clients), None)
    if client_id is not None and client_id not in state.clients:
        abort(404)
    return state.clients[client_id] if client_id is not None else None


def _belongs(state: State, person: Person, space: str | None, area: str) -> bool:
    """Whether these pages are for this person; at the global provider, those of any space will do."""
    if area == "members":
        spaces = set(person.memberships)
    else:
        spaces = {name for name in person.admin_of if (person.key, name) not in state.revoked_rights}
    return bool(spaces) if space is None else space in spaces


def _change(state: State) -> None:
    """Behind the apps' backs: their own cookies stay, and nobody tells them."""
    check_csrf()
    if request.form.get("action") == "log-out":
        log_out()
        return
    locale = request.form.get("locale", session.get("locale", "en"))
    if locale not in LOCALES:
        abort(400)
    log_in(state, request.form.get("person", ""))
    session["locale"] = locale
