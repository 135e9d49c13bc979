"""What an attack on memberships, tokens and the API found: each test failed before the fault was mended."""

import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from cobot_oidc import (
    APIError,
    CobotAPI,
    CobotOIDC,
    from_view_arg,
    login_required,
    membership_required,
)
from cobot_oidc.api import places
from cobot_oidc.api.documents import Page
from cobot_oidc.cli.environment import line
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor
from .embed.test_found_in_frames import configuration
from .patience import background_work_ends
from .test_membership import LIFETIME, keeping_app, make_space_app, space_app
from .test_scopes import app as scopes_app
from .test_scopes import asked_for

__all__ = ["keeping_app", "make_space_app", "scopes_app", "space_app"]  # fixtures

JSON = {"Accept": "application/json"}


def own_domain(cobot: StandIn) -> tuple[str, dict[str, Any]]:
    """A space with an issuer of its own, which may be hostile (A05, X01)."""
    cobot.domains["rooms.localhost"] = "nebenan"
    issuer = f"http://rooms.localhost:{cobot.port}"
    redirect_uri = "http://localhost/cobot/callback/nebenan"
    cobot.register_client("nebenans", secret="another-secret-of-ours", redirect_uri=redirect_uri)
    client = {"issuer": issuer, "client_id": "nebenans", "client_secret": "another-secret-of-ours"}
    return issuer, {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_SPACE_ISSUERS": {"nebenan": client}}


def holding(error: BaseException, secret: str) -> list[str]:
    """The local variables of our own frames that show a secret, as error trackers collect them (L02)."""
    found, traceback = [], error.__traceback__
    while traceback is not None:
        frame, traceback = traceback.tb_frame, traceback.tb_next
        if "/cobot_oidc/" in frame.f_code.co_filename:
            found += [f"{frame.f_code.co_qualname}.{k}" for k, v in frame.f_locals.items() if v == secret]
    return found


# ---------------------------------------------------------------------- one space harms another


def test_a_hostile_space_closes_no_other_space(make_space_app: Any, cobot: StandIn, clock: Clock) -> None:
    issuer, changes = own_domain(cobot)
    app = make_space_app(**changes)
    ada, mallory = Visitor(app, cobot), Visitor(app, cobot)
    assert ada.log_in("/co-up/desk").status_code == 200
    mallory.log_in("/nebenan/who", "nina")
    clock.move(LIFETIME + 1)
    cobot.alter("api", {"id": 5}, path="/api/user", issuer=issuer)
    mallory.get("/nebenan/who")

    assert ada.get("/co-up/desk").status_code == 200


def test_a_hostile_space_keeps_nobody_in_whose_token_was_revoked(
    make_space_app: Any, cobot: StandIn, clock: Clock
) -> None:
    issuer, changes = own_domain(cobot)
    app = make_space_app(COBOT_OIDC_MEMBERSHIP_STALE=3600, **changes)
    ada, mallory = Visitor(app, cobot), Visitor(app, cobot)
    assert ada.log_in("/co-up/desk").status_code == 200
    mallory.log_in("/nebenan/who", "nina")
    clock.move(LIFETIME + 1)
    cobot.revoke_tokens("ada")
    cobot.alter("api", {"id": 5}, path="/api/user", issuer=issuer)
    mallory.get("/nebenan/who")

    assert ada.get("/co-up/desk", headers=JSON).status_code == 401


def test_a_hostile_space_spends_nobody_else_s_budget(
    make_portal: MakePortal, cobot: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An own domain signs whatever ``sub`` it likes: here both issuers have nina's."""
    monkeypatch.setattr(places, "sleep", lambda _: None)
    cobot.limit(None)  # the stand-in's own, which knows that both are one person
    _, changes = own_domain(cobot)
    app = make_portal(COBOT_OIDC_SCOPES=["openid", "read_user"], **changes)
    oidc_api = _page_about_me(app)
    nina, hostile = Visitor(app, cobot), Visitor(app, cobot)
    nina.log_in("/co-up/desk", "nina")
    hostile.log_in("/nebenan/desk", "nina")
    for _ in range(60):
        assert hostile.get(f"/nebenan/{oidc_api}").status_code == 200

    assert nina.get(f"/co-up/{oidc_api}").status_code == 200


def _page_about_me(app: Flask) -> str:
    from cobot_oidc import current_user
    from cobot_oidc.api.current import api_of

    @app.get("/<space>/me")
    @login_required
    def me(space: str) -> str:
        del space
        return api_of(current_user).me().id  # type: ignore[arg-type] # what oidc.api does

    return "me"


# ---------------------------------------------------------------------- logins and tokens that outlive a logout


def test_a_copy_of_an_earlier_session_ends_with_the_logout(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    """S09, X10: each requires_scope makes such an earlier login."""
    app = make_portal()
    ada = Visitor(app, cobot)
    ada.log_in("/desk")
    copy = next(cookie for cookie in ada.cookies if cookie.key == "session").value
    clock.move(50)
    ada.get(ada.answer(ada.begin("/cobot/login")))
    clock.move(50)
    ada.log_out()

    assert ada.get_with(f"session={copy}", "/").json["user"] is None  # type: ignore[index] # it is JSON


def test_a_copy_of_an_earlier_session_calls_nobody_after_the_logout(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    app = Flask("portal")
    keep = {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_REVOKE_TOKEN": True}
    app.config.update(settings | keep)
    oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/<space>/scopes")
    @login_required
    def scopes(space: str) -> str:
        del space
        return " ".join(oidc.api.granted_scopes())

    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    copy = next(cookie for cookie in ada.cookies if cookie.key == "session").value
    clock.move(50)
    ada.get(ada.answer(ada.begin("/cobot/login?space=co-up")))
    clock.move(50)
    ada.log_out()
    background_work_ends("cobot-oidc-revocation")

    assert ada.get_with(f"session={copy}", "/co-up/scopes").status_code == 302


# ---------------------------------------------------------------------- where a token shows


def test_no_error_of_a_guard_holds_the_token(keeping_app: Flask, cobot: StandIn, clock: Clock) -> None:
    found: list[str] = []

    def handle(error: APIError) -> Any:
        found.extend(f for secret in cobot.secrets if len(secret) > 20 for f in holding(error, secret))
        return "", 401

    keeping_app.register_error_handler(APIError, handle)
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    clock.move(LIFETIME + 1)
    cobot.revoke_tokens()
    assert ada.get("/co-up/desk").status_code == 401

    assert found == []


def test_no_error_of_a_client_that_cannot_be_made_holds_the_token(make_portal: MakePortal, cobot: StandIn) -> None:
    token = cobot.issue_token("ada", "read_user")
    with make_portal(COBOT_OIDC_SPACES="co-up").app_context(), pytest.raises(APIError) as raised:
        CobotAPI(token, space="elsewhere")

    assert holding(raised.value, token) == []


# ---------------------------------------------------------------------- guards with a space of their own


def _pinned(settings: dict[str, Any], clock: Clock) -> Flask:
    app = Flask("portal")
    kept = {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_MEMBERSHIP": True, "COBOT_OIDC_SPACES": "co-up betahaus"}
    app.config.update(settings | kept)
    oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/board")
    @app.get("/<space>/board")
    @membership_required(space="co-up")
    def board(**_: str) -> str:
        return "board"

    @app.get("/me")
    @login_required(space="co-up")
    def me() -> str:
        return oidc.api.me().id

    return app


def test_a_space_that_nobody_serves_in_the_url_of_a_guarded_page_is_no_500(
    unwatched_cobot: StandIn, clock: Clock
) -> None:
    app = _pinned(configuration(unwatched_cobot), clock)
    alex = Visitor(app, unwatched_cobot)
    app.testing = False  # what fails is a page, not an exception
    alex.log_in("/board", "alex")

    assert alex.get("/nowhere/board").status_code == 403


def test_a_refused_token_leads_to_a_login_at_the_guard_s_own_space(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    ada = Visitor(_pinned(settings, clock), cobot)
    ada.log_in("/me")
    cobot.revoke_tokens()
    answer = ada.get("/me", headers=JSON)

    assert answer.status_code == 401
    assert "space=co-up" in answer.json["login_url"]  # type: ignore[index] # it is JSON


def test_who_is_no_member_is_sent_to_the_guard_s_own_space(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    page = Visitor(_pinned(settings, clock), cobot).log_in("/board", "alex")

    assert f'href="{cobot.space_issuer("co-up")}"' in page.text


# ---------------------------------------------------------------------- the rest


def test_a_stranger_s_grant_asks_nobody_else_for_more(scopes_app: Flask, cobot: StandIn) -> None:
    link = Visitor(scopes_app, cobot).get("/co-up/bookings").location
    [grant] = parse_qs(urlsplit(link).query)["grant"]
    url = Visitor(scopes_app, cobot).begin(f"/cobot/login?space=betahaus&grant={grant}")

    assert "read_bookings" not in asked_for(url)


def test_a_clock_that_was_ahead_at_the_login_makes_no_page_ask(
    keeping_app: Flask, cobot: StandIn, clock: Clock
) -> None:
    clock.move(200)
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    clock.move(-200)
    asked = cobot.asked("/api/user")
    for _ in range(5):
        ada.get("/co-up/desk")

    assert cobot.asked("/api/user") <= asked + 1


def test_what_is_included_is_no_larger_than_anybody_asks_for() -> None:
    """A16: 60 kB of an answer, asked for with include=["a.a.a"], become 40 MB of JSON; 1.7 MB became 6 GB."""
    references = [{"type": "t", "id": str(number)} for number in range(100)]
    included = [{**one, "relationships": {"a": {"data": references}}} for one in references[:16]]

    with pytest.raises(APIError, match="more than 20000 resources"):
        Page.read({"data": included[0], "included": included}, ["a.a.a"])


def test_a_client_id_of_brackets_is_printed() -> None:
    assert line("COBOT_OIDC_CLIENT_ID", "[" * 2048)


def test_a_cobot_that_hangs_makes_few_threads_wait(make_space_app: Any, cobot: StandIn, clock: Clock) -> None:
    """X06 promises: four threads of a process at most wait for longer than a moment."""
    app = make_space_app(COBOT_OIDC_KEEP_TOKEN=True)
    visitors = []
    for person in ("ada", "nina", "grace", "alex"):
        for space in ("co-up", "betahaus"):
            visitors.append((Visitor(app, cobot), f"/{space}/desk"))
            visitors[-1][0].log_in(visitors[-1][1], person)
    clock.move(LIFETIME + 1)
    cobot.reply("api", delay=4, path="/api/user")
    waited: list[float] = []

    def ask(visitor: Visitor, path: str) -> None:
        began = time.monotonic()
        visitor.get(path)
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=each) for each in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([seconds for seconds in waited if seconds > 3]) <= 4


def test_no_error_about_a_space_s_token_holds_it(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.alter("api", {"client_id": "another", "token": "the-space-s-own-token"}, path="/api/access_tokens")
    with make_portal().app_context(), pytest.raises(APIError) as raised:
        CobotAPI(cobot.issue_token("alex", "read_user read_spaces"), space="co-up").space_token("co-up")
    locals_of_ours, traceback = [], raised.value.__traceback__
    while traceback is not None:
        if "/cobot_oidc/" in traceback.tb_frame.f_code.co_filename:
            locals_of_ours += [repr(value) for value in traceback.tb_frame.f_locals.values()]
        traceback = traceback.tb_next

    assert raised.value.code == "space_token_foreign"
    assert not [text for text in locals_of_ours if "the-space-s-own-token" in text]
