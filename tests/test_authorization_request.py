"""What an app adds to the authorization request, what the answer is held to, and requests that are pushed."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, current_user, from_view_arg
from cobot_oidc.errors import CobotOIDCError, ConfigurationError
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .conftest import CALLBACK, Clock, MakePortal, Visitor, add_pages
from .patience import Held

Asked = Callable[[str | None, str | None], Any]
MakeAsking = Callable[..., Flask]
MFA = "urn:example:mfa"
STRONG = {"claims": {"id_token": {"acr": {"essential": True, "values": [MFA, "urn:example:hardware"]}}}}


@pytest.fixture
def make_asking(settings: dict[str, Any], clock: Clock) -> MakeAsking:
    """Makes a portal whose logins ask for something more."""

    def make(asked: Asked | Any, **changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(settings | changes)
        oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)
        oidc.authorization_request(asked if callable(asked) else lambda *_: asked)
        add_pages(app)
        return app

    return make


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, strict_parsing=True)


def test_an_app_adds_parameters_to_the_request(make_asking: MakeAsking, cobot: StandIn) -> None:
    asked = {
        "acr_values": f"{MFA} urn:example:pin",
        "claims": {"userinfo": {"email": {"essential": True}}, "id_token": {"picture": None}},
        "resource": ["https://api.example/", "urn:example:books"],
        "ui_locales": None,
        "organization": "Köln & Bonn",
    }
    visitor = Visitor(make_asking(asked), cobot)

    url = visitor.begin("/desk")

    query = query_of(url)
    assert query["acr_values"] == [asked["acr_values"]]
    assert json.loads(query["claims"][0]) == asked["claims"]
    assert query["resource"] == asked["resource"]
    assert query["organization"] == ["Köln & Bonn"]
    assert "ui_locales" not in query
    assert visitor.get(visitor.answer(url)).status_code == 303
    assert cobot.authorization_requests[-1]["resource"] == asked["resource"]


def test_the_function_gets_the_space_and_the_place_that_the_login_leads_to(
    make_asking: MakeAsking, cobot: StandIn
) -> None:
    calls: list[tuple[str | None, str | None]] = []
    visitor = Visitor(make_asking(lambda *given: calls.append(given)), cobot)

    visitor.begin("/co-up/desk")
    visitor.begin("/desk")
    visitor.browser.get("/cobot/login")
    visitor.browser.get("/cobot/login?next=https://evil.example/")

    assert calls == [("co-up", "/co-up/desk"), (None, "/desk"), (None, None), (None, None)]


def test_the_function_can_be_a_coroutine_and_can_look_at_the_request(make_asking: MakeAsking, cobot: StandIn) -> None:
    async def asked(_space: str | None, _next: str | None) -> dict[str, str]:
        return {"acr_values": MFA if current_user.is_authenticated else "0"}

    visitor = Visitor(make_asking(asked), cobot)

    def asked_for() -> list[str]:
        before = query_of(visitor.begin("/desk"))["acr_values"]
        visitor.log_in("/desk")
        return before + query_of(visitor.browser.get("/cobot/login").location)["acr_values"]

    with ThreadPoolExecutor(1) as pool:  # in the thread of the tests, Playwright may have an event loop
        assert pool.submit(asked_for).result() == ["0", MFA]


def test_there_is_one_function_and_the_decorator_returns_it() -> None:
    oidc = CobotOIDC()

    @oidc.authorization_request
    def first(_space: str | None, _next: str | None) -> None:
        return None

    assert first(None, None) is None
    with pytest.raises(ConfigurationError, match="authorization_request_invalid"):
        oidc.authorization_request(first)


@pytest.mark.covers("P01", "F21")
def test_no_link_of_a_stranger_adds_or_changes_a_parameter(make_asking: MakeAsking, cobot: StandIn) -> None:
    visitor = Visitor(make_asking({"acr_values": MFA, "prompt": "consent"}), cobot)

    link = "/cobot/login?acr_values=0&claims={}&resource=https://evil.example&prompt=login&login_hint=ada&scope=write"
    query = query_of(visitor.browser.get(link).location)

    assert query["acr_values"] == [MFA]
    assert query["prompt"] == ["consent"]
    assert query["login_hint"] == ["ada"]
    assert not {"claims", "resource"} & set(query)
    assert query["scope"] == ["openid email profile"]


@pytest.mark.covers("P02")
@pytest.mark.parametrize(
    "asked",
    [
        {"scope": "write"},
        {"redirect_uri": "https://evil.example/"},
        {"request": "a.b.c"},
        {"request_uri": "https://evil.example/"},
        {"id_token_hint": "a.b.c"},
        {"acr_values": "a\nb"},
        {"prompt": "none"},
        {"claims": "{}"},
        ["acr_values"],
    ],
    ids=lambda asked: ",".join(asked),
)
def test_a_parameter_that_an_app_cannot_add_begins_no_login(
    make_asking: MakeAsking, cobot: StandIn, login_failures: list[CobotOIDCError], asked: Any
) -> None:
    visitor = Visitor(make_asking(asked), cobot)

    response = visitor.browser.get("/cobot/login")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert [error.code for error in login_failures] == ["authorization_request_invalid"]
    assert cobot.requests == []


# ------------------------------------------------------------------ what is asked for is verified


@pytest.mark.covers("P03", "C13")
@pytest.mark.parametrize("acr", ["urn:example:pin", REMOVED, "", [MFA]])
def test_a_token_of_less_assurance_than_was_demanded_is_no_login(
    make_asking: MakeAsking, cobot: StandIn, login_failures: list[CobotOIDCError], acr: Any
) -> None:
    visitor = Visitor(make_asking(STRONG), cobot)
    cobot.alter("id_token_claims", {"acr": acr})

    response = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert response.status_code == 502
    assert [error.code for error in login_failures] == ["requested_claim_unmet"]
    assert visitor.sees("/") is None


@pytest.mark.covers("P03")
def test_a_token_of_the_assurance_that_was_demanded_is_a_login(make_asking: MakeAsking, cobot: StandIn) -> None:
    visitor = Visitor(make_asking(STRONG, COBOT_OIDC_CLAIMS="name acr"), cobot)

    page = visitor.log_in("/desk")

    assert page.json is not None
    assert page.json["claims"]["acr"] == MFA


def test_what_is_asked_for_as_a_wish_is_not_demanded(make_asking: MakeAsking, cobot: StandIn) -> None:
    asked = {"acr_values": MFA, "claims": {"id_token": {"acr": {"value": MFA}, "email": {"essential": True}}}}
    visitor = Visitor(make_asking(asked), cobot)
    cobot.alter("id_token_claims", {"acr": "urn:example:pin", "email": REMOVED})

    assert visitor.log_in("/desk").status_code == 200


@pytest.mark.covers("P03")
def test_a_token_about_another_person_than_the_demanded_one_is_no_login(
    make_asking: MakeAsking, cobot: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    subject = cobot.people["ada"].subject
    portal = make_asking({"claims": {"id_token": {"sub": {"value": subject}}}})
    grace, ada = Visitor(portal, cobot), Visitor(portal, cobot)

    assert grace.get(grace.answer(grace.begin("/desk"), "grace")).status_code == 502
    assert [error.code for error in login_failures] == ["requested_claim_unmet"]
    assert ada.log_in("/desk", "ada").status_code == 200


@pytest.mark.covers("P03", "C13")
def test_max_age_of_the_app_is_sent_and_verified(
    make_asking: MakeAsking, cobot: StandIn, clock: Clock, login_failures: list[CobotOIDCError]
) -> None:
    visitor = Visitor(make_asking({"max_age": 300}), cobot)
    url = visitor.begin("/desk")
    assert query_of(url)["max_age"] == ["300"]
    cobot.alter("id_token_claims", lambda claims: {**claims, "auth_time": int(clock()) - 400}, times=1)

    assert visitor.get(visitor.answer(url)).status_code == 502
    assert [error.code for error in login_failures] == ["authentication_too_old"]


@pytest.mark.covers("P01")
@pytest.mark.parametrize(("link", "sent"), [("max_age=9999", "300"), ("max_age=60", "60"), ("max_age=x", "300")])
def test_a_link_can_only_ask_for_a_later_login_than_the_app_does(
    make_asking: MakeAsking, cobot: StandIn, link: str, sent: str
) -> None:
    visitor = Visitor(make_asking({"max_age": 300}), cobot)

    assert query_of(visitor.browser.get(f"/cobot/login?{link}").location)["max_age"] == [sent]


def test_a_resource_is_named_in_the_token_request_too(make_asking: MakeAsking, cobot: StandIn) -> None:
    resources = ["https://api.example/", "https://books.example/v1"]
    visitor = Visitor(make_asking({"resource": resources}), cobot)

    visitor.log_in("/desk")

    assert cobot.token_requests[-1]["resource"] == resources
    assert "claims" not in cobot.token_requests[-1]


# ------------------------------------------------------------------ room in the cookies


def transaction_cookies(visitor: Visitor) -> list[int]:
    return [len(each.value) for each in visitor.cookies if len(each.key) == len("cobot_oidc_") + 22]


@pytest.mark.covers("P04")
def test_a_login_that_remembers_nothing_more_is_no_longer(
    make_asking: MakeAsking, make_portal: MakePortal, cobot: StandIn
) -> None:
    asking = Visitor(make_asking({"acr_values": "x" * 2000, "ui_locales": "de", "claims": {"userinfo": {}}}), cobot)
    plain = Visitor(make_portal(), cobot)

    for visitor in (asking, plain):
        visitor.begin("/desk")

    assert transaction_cookies(asking) == transaction_cookies(plain)


@pytest.mark.covers("P04", "X14")
def test_what_the_app_asks_for_evicts_no_login_of_another_tab(make_asking: MakeAsking, cobot: StandIn) -> None:
    strong = {"id_token": {"acr": {"essential": True, "values": ["urn:example:" + "m" * 50]}}}
    visitor = Visitor(make_asking({"claims": strong, "resource": "https://api.example/" + "r" * 50}), cobot)

    started = [visitor.begin(f"/desk?tab={tab}") for tab in range(5)]

    assert len(transaction_cookies(visitor)) == 5
    for tab, url in enumerate(started):
        assert visitor.get(visitor.answer(url)).location == f"/desk?tab={tab}"


# ------------------------------------------------------------------ pushed requests


@pytest.mark.covers("P05")
@pytest.mark.parametrize("who", ["the document", "the setting"])
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "client_secret_jwt", "none"])
def test_the_browser_carries_the_name_of_a_pushed_request_alone(
    make_asking: MakeAsking, cobot: StandIn, who: str, method: str
) -> None:
    secret = None if method == "none" else "s3cret-of-the-portal-of-32-letters"
    cobot.register_client(
        "portal",
        secret=secret,
        redirect_uri=CALLBACK,
        authentication=method if method == "client_secret_jwt" else None,
    )
    cobot.take_pushed_requests("required" if who == "the document" else "allowed")
    portal = make_asking(
        STRONG | {"resource": ["https://a.example/", "https://b.example/"]},
        COBOT_OIDC_CLIENT_SECRET=secret,
        COBOT_OIDC_CLIENT_AUTH=method,
        COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS=who == "the setting",
    )
    visitor = Visitor(portal, cobot)

    url = visitor.begin("/desk")

    assert {name for name, _ in parse_qsl(urlsplit(url).query)} == {"client_id", "request_uri"}
    assert visitor.get(visitor.answer(url)).location == "/desk"
    [request] = cobot.authorization_requests
    assert request["code_challenge_method"] == ["S256"]
    assert request["client_id"] == ["portal"]
    assert request["resource"] == ["https://a.example/", "https://b.example/"]
    assert "client_secret" not in request
    assert visitor.sees("/") is not None


def test_nothing_is_pushed_where_it_is_only_allowed(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.take_pushed_requests("allowed")
    visitor = Visitor(make_portal(), cobot)
    visitor.log_in("/desk")
    visitor.browser.post("/cobot/logout", headers={"Origin": "http://localhost"})
    cobot.requests.clear()

    visitor.log_in("/desk")

    asked = [request.path for request in cobot.requests if request.path != "/oauth/authorize"]
    assert asked == ["/oauth/access_token"]  # one request once the caches are warm


def test_a_pushed_login_costs_one_request_more(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.take_pushed_requests()
    visitor = Visitor(make_portal(), cobot)
    visitor.log_in("/desk")
    cobot.requests.clear()

    visitor.log_in("/co-up/desk")
    visitor.get("/cobot/login")

    asked = [request.path for request in cobot.requests]
    assert (asked.count("/oauth/par"), asked.count("/oauth/access_token")) == (2, 1)


UNUSABLE: dict[str, dict[str, Any]] = {
    "200": {"status": 200},
    "302": {"status": 302, "headers": {"Location": "https://evil.example/"}},
    "no JSON": {"body": b"<p>"},
    "HTML": {"headers": {"Content-Type": "text/html"}},
    "twice": {"body": b'{"request_uri": "urn:a", "request_uri": "urn:b", "expires_in": 60}'},
    "array": {"body": b"[]"},
    "empty": {"body": b"{}"},
}


@pytest.mark.covers("P06")
@pytest.mark.parametrize("reply", UNUSABLE.values(), ids=UNUSABLE)
def test_without_a_usable_answer_no_login_begins_in_another_way(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError], reply: dict[str, Any]
) -> None:
    cobot.take_pushed_requests()
    visitor = Visitor(make_portal(), cobot)
    cobot.reply("pushed_request", **reply)

    response = visitor.browser.get("/cobot/login")

    assert response.status_code == 502
    assert "Location" not in response.headers
    assert transaction_cookies(visitor) == []
    assert [error.code for error in login_failures] == ["pushed_request_unusable"]


@pytest.mark.covers("P06")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"status": 400, "body": b'{"error": "invalid_request"}'}, "pushed_request_refused"),
        ({"status": 401, "body": b'{"error": "invalid_client"}'}, "client_refused"),
        ({"status": 429, "headers": {"Retry-After": "3"}}, "provider_failing"),
        ({"status": 500}, "provider_failing"),
        ({"body": b"x" * 300_000}, "response_unusable"),
    ],
)
def test_a_refused_push_begins_no_login_and_says_why(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError], reply: dict[str, Any], code: str
) -> None:
    cobot.take_pushed_requests()
    visitor = Visitor(make_portal(), cobot)
    cobot.reply("pushed_request", **reply)

    assert "Location" not in visitor.browser.get("/cobot/login").headers
    assert [error.code for error in login_failures] == [code]


@pytest.mark.covers("P06")
def test_a_setting_that_the_document_has_no_endpoint_for_begins_no_login(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS=True), cobot)

    assert visitor.browser.get("/cobot/login").status_code == 502
    assert [error.code for error in login_failures] == ["pushed_request_unusable"]


@pytest.mark.covers("P06", "X01")
def test_no_request_is_pushed_to_another_host(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    cobot.take_pushed_requests()
    elsewhere = f"http://elsewhere.localhost:{cobot.port}/oauth/par"
    cobot.alter("metadata", {"pushed_authorization_request_endpoint": elsewhere})

    assert Visitor(make_portal(), cobot).browser.get("/cobot/login").status_code == 502
    assert [error.code for error in login_failures] == ["endpoint_forbidden"]
    assert cobot.asked("/oauth/par") == 0


@pytest.mark.covers("P06", "L01")
def test_what_the_provider_repeats_of_a_push_is_not_logged(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    cobot.take_pushed_requests()
    secret = "s3cret-of-the-portal"
    body = json.dumps({"error": "invalid_request", "error_description": f"you said {secret}"}).encode()
    cobot.reply("pushed_request", status=400, body=body)

    Visitor(make_portal(), cobot).browser.get("/cobot/login")

    [error] = login_failures
    assert secret not in str(error)  # the watch around this test looks at all else


@pytest.mark.covers("P07", "X04")
def test_however_many_strangers_begin_logins_those_that_were_begun_can_end(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    cobot.take_pushed_requests()
    portal = make_portal()
    visitor = Visitor(portal, cobot)
    answers = [visitor.answer(visitor.begin("/desk")) for _ in range(2)]
    held = Held()
    cobot.alter("pushed_request", held)
    statuses: list[int] = []

    def begin() -> None:
        statuses.append(portal.test_client().get("/cobot/login").status_code)

    strangers = [threading.Thread(target=begin) for _ in range(24)]
    for stranger in strangers:
        stranger.start()
    assert held.came.wait(60)
    ends = [visitor.get(answer).status_code for answer in answers]
    still_pushing = sum(stranger.is_alive() for stranger in strangers)
    held.may_go.set()
    for stranger in strangers:
        stranger.join()

    assert ends == [303, 303]
    assert still_pushing > 0
    assert set(statuses) == {302, 503}


@pytest.mark.covers("P07")
def test_a_push_endpoint_that_is_down_is_left_alone_and_logins_that_were_begun_can_end(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    cobot.take_pushed_requests()
    visitor = Visitor(make_portal(COBOT_OIDC_READ_TIMEOUT=0.7), cobot)
    answer = visitor.answer(visitor.begin("/desk"))
    cobot.reply("pushed_request", delay=5)
    for _ in range(7):
        visitor.browser.get("/cobot/login")
    asked = cobot.asked("/oauth/par")

    assert [error.code for error in login_failures] == ["provider_unreachable"] * 5 + ["provider_paused"] * 2
    assert visitor.get(answer).status_code == 303
    assert cobot.asked("/oauth/par") == asked == 6
