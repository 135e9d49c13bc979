"""What an attack on the frames found. Each test fails for the reason that its mark gives (help-attack)."""

import base64
import json
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.wrappers import Response

from cobot_oidc import CobotOIDC, current_users, login_required
from cobot_oidc.installation import installation
from cobot_oidc.standin import StandIn

from ..conftest import Clock, Visitor
from ..redis_server import RedisServer
from .test_frames import FRAMED, SCRIPT, TOP, Frame, app, logged_in, make_app, opened, ticket_in

__all__ = ["app", "make_app"]  # fixtures


def frame_cookie(value: Any) -> str:
    return "__Host-cobot_oidc_frame=" + base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def log_in_again(visitor: Visitor, space: str = "co-up") -> None:
    visitor.get(visitor.answer(visitor.begin(f"/cobot/login?space={space}")))


def test_a_logout_ends_the_frame_s_login_also_if_the_person_logged_in_again_since(
    app: Flask, cobot: StandIn, clock: Clock
) -> None:
    """docs/frames.md: "A logout on either side ends both." """
    frame, ada = logged_in(app, cobot)
    clock.move(100)
    log_in_again(ada)
    clock.move(100)
    ada.log_out()

    assert frame.get("/co-up/open").json["user"] is None  # type: ignore[index] # it is JSON


def test_who_logged_out_in_the_frame_can_log_in_there_again(app: Flask, cobot: StandIn, clock: Clock) -> None:
    """The window's login is valid, the ticket is redeemed (204), and nobody is logged in: each click, for 12 hours."""
    frame, ada = logged_in(app, cobot)
    clock.move(100)
    log_in_again(ada)
    clock.move(100)
    assert frame.post("/cobot/logout").status_code == 303
    clock.move(5)
    window, _ = frame.button("/co-up/desk")
    page = opened(ada, window)

    assert frame.post("/cobot/frame", {"ticket": ticket_in(page)}).status_code == 204
    assert frame.get("/co-up/open").json["user"] is not None  # type: ignore[index] # it is JSON


@pytest.mark.parametrize(
    ("kept", "path"),
    [
        (["\ud800", None, None, None], "/cobot/embedded"),
        (["x", None, "\ud800", None], "/cobot/embedded"),
    ],
)
def test_no_text_in_the_frame_s_cookie_makes_a_page_fail(unwatched_cobot: StandIn, kept: Any, path: str) -> None:
    app: Flask = embedding(unwatched_cobot)
    answer = app.test_client(use_cookies=False).get(path, headers=FRAMED | {"Cookie": frame_cookie(kept)})

    assert answer.status_code < 500


def test_no_text_in_the_frame_s_cookie_makes_a_ticket_fail(unwatched_cobot: StandIn) -> None:
    app: Flask = embedding(unwatched_cobot)
    headers = SCRIPT | {"Cookie": frame_cookie(["\ud800", None, None, None])}
    answer = app.test_client(use_cookies=False).post("/cobot/frame", headers=headers, data={"ticket": "x"})

    assert answer.status_code < 500


def test_one_space_does_not_show_the_pages_of_another(app: Flask) -> None:
    """E06: clickjacking by another tenant; all of Cobot's spaces are one site, and so share the frame's cookies."""
    page = Frame(app).get("/co-up/desk?cobot_embed=true&cobot_subdomain=betahaus")

    assert "betahaus" not in page.headers["Content-Security-Policy"]


def test_a_second_policy_of_the_app_s_own_stays(make_app: Any) -> None:
    app: Flask = make_app()

    @app.get("/strict")
    def strict() -> Response:
        page = Response("strict")
        page.headers.add("Content-Security-Policy", "default-src 'self'")
        page.headers.add("Content-Security-Policy", "script-src 'none'")
        return page

    policies = app.test_client().get("/strict", headers=TOP).headers.getlist("Content-Security-Policy")
    assert "script-src 'none'" in ", ".join(policies)


def test_a_page_that_the_app_forbids_to_be_framed_stays_so(make_app: Any) -> None:
    app: Flask = make_app()

    @app.get("/danger")
    def danger() -> Response:
        return Response("danger", headers={"X-Frame-Options": "DENY"})

    page = app.test_client().get("/danger", headers=TOP)
    policy = page.headers["Content-Security-Policy"]
    assert page.headers.get("X-Frame-Options") == "DENY" or "frame-ancestors 'none'" in policy


def test_a_callable_that_fails_for_pages_without_a_space_breaks_no_other_page(unwatched_cobot: StandIn) -> None:
    """Without COBOT_OIDC_EMBEDDED, both are as they should be; with it, both are 500, and without frame-ancestors."""
    app = Flask("portal")
    app.config.update(configuration(unwatched_cobot) | {"TESTING": False})
    CobotOIDC(app, space=lambda: request.view_args["space"])  # type: ignore[index] # that is the mistake

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    statuses = [app.test_client().get(path, headers=TOP).status_code for path in ("/plain", "/nowhere")]
    assert statuses == [200, 404]


def configuration(cobot: StandIn) -> dict[str, Any]:
    return {
        "TESTING": True,
        "SECRET_KEY": "k" * 32,
        "COBOT_OIDC_CLIENT_ID": "portal",
        "COBOT_OIDC_CLIENT_SECRET": "s3cret-of-the-portal",
        "COBOT_OIDC_ISSUER": cobot.issuer,
        "COBOT_OIDC_SPACE_ISSUER": cobot.space_issuer_template,
        "COBOT_OIDC_SPACES": "*",
        "COBOT_OIDC_EMBEDDED": True,
    }


def embedding(cobot: StandIn) -> Flask:
    app = Flask("portal")
    app.config.update(configuration(cobot))
    CobotOIDC(app)
    return app


def test_a_host_that_is_none_is_no_failure_of_ours(unwatched_cobot: StandIn) -> None:
    """A stranger's 500: the check runs before Flask refuses the host, and its error page needs ``url_for``."""
    client = embedding(unwatched_cobot).test_client(use_cookies=False)
    headers = {"Host": "a..b", "Sec-Fetch-Dest": "object"}

    assert client.post("/x", headers=headers).status_code < 500


def test_a_stranger_s_traffic_does_not_make_a_ticket_count_twice(app: Flask, cobot: StandIn, clock: Clock) -> None:
    """E01, without Redis. Whoever redeems it needs the frame's own cookie all the same."""
    frame, ada = Frame(app), Visitor(app, cobot)
    window, _ = frame.button("/co-up/desk")
    ticket = ticket_in(opened(ada, window))
    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 204
    with app.app_context():  # what /cobot/login and /cobot/callback?error=x do for a stranger
        for number in range(10_001):
            installation().used_states.claim(str(number), clock())

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 400


def test_somebody_whom_cobot_does_not_mean_is_in_no_list(app: Flask, cobot: StandIn) -> None:
    """docs/frames.md: "that login does not count"."""

    @app.get("/<space>/everybody")
    def everybody(space: str) -> str:
        del space
        return " ".join(user.subject for user in current_users())

    frame, _ = logged_in(app, cobot)

    assert frame.get("/co-up/everybody?cobot_embed=true&cobot_user_id=somebody-else").text == ""


def test_with_redis_a_new_login_outside_ends_the_frame_s_with_its_token(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    app: Flask = make_app(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_REDIS_URL=redis.url)

    @app.get("/<space>/scopes")
    @login_required
    def scopes(space: str) -> str:
        del space
        return " ".join(app.extensions["oidc"].api.granted_scopes())

    app.extensions["oidc"] = oidc_of(app)
    frame, ada = logged_in(app, cobot)
    assert frame.get("/co-up/scopes").status_code == 200
    clock.move(100)
    log_in_again(ada)

    assert frame.get("/co-up/scopes").status_code == 302


def oidc_of(_app: Flask) -> CobotOIDC:
    return CobotOIDC()
