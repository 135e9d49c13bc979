"""What a request gets that no person looks at: 401 with the way to a login, and never a login of its own."""

import pytest
from flask import Flask

from cobot_oidc import login_required
from cobot_oidc.standin import StandIn

from .conftest import Visitor

FETCH = {"Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}
IMAGE = {"Accept": "image/*,*/*;q=0.8", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
SCRIPT = {"Accept": "*/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}
SUBRESOURCES = [
    pytest.param(FETCH, id="fetch"),
    pytest.param({"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, id="fetch of a fragment"),
    pytest.param({"Sec-Fetch-Mode": "same-origin"}, id="same-origin fetch"),
    pytest.param(IMAGE, id="image"),
    pytest.param(SCRIPT, id="script"),
    pytest.param({"Sec-Fetch-Dest": "style"}, id="style, without a mode"),
]


@pytest.mark.parametrize("headers", SUBRESOURCES)
def test_a_fetch_without_accept_header_gets_401_and_begins_no_login(
    visitor: Visitor, cobot: StandIn, headers: dict[str, str]
) -> None:
    response = visitor.get("/co-up/desk?day=1", headers=headers)

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert response.json is not None
    assert response.json["code"] == "login_required"
    assert response.json["login_url"] == "/cobot/login?space=co-up&next=/co-up/desk?day%3D1"
    assert "Set-Cookie" not in response.headers
    assert cobot.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(NAVIGATION, id="navigation"),
        pytest.param(NAVIGATION | {"Sec-Fetch-Dest": "iframe"}, id="frame"),
        pytest.param(NAVIGATION | {"Sec-Fetch-Dest": "empty"}, id="by way of a service worker"),
        pytest.param({"Accept": NAVIGATION["Accept"]}, id="older browser"),
        pytest.param({"Accept": "*/*"}, id="curl"),
        pytest.param({}, id="says nothing"),
    ],
)
def test_a_person_is_sent_to_log_in(visitor: Visitor, headers: dict[str, str]) -> None:
    response = visitor.get("/desk", headers=headers)

    assert response.status_code == 302
    assert response.location == "/cobot/login?next=/desk"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(FETCH, 401, id="fetch"),
        pytest.param({"Accept": "*/*"}, 401, id="a program without these headers"),
        pytest.param({"Accept": NAVIGATION["Accept"]}, 302, id="a form of an older browser"),
        pytest.param(NAVIGATION, 302, id="a form"),
    ],
)
def test_what_a_program_posts_gets_401(portal: Flask, headers: dict[str, str], status: int) -> None:
    @portal.post("/bookings")
    @login_required
    def book() -> str:
        return "booked"

    response = portal.test_client().post("/bookings", headers=headers)

    assert response.status_code == status
    if status == 401:
        assert response.json is not None
        assert response.json["login_url"] == "/cobot/login"


@pytest.mark.parametrize("headers", SUBRESOURCES)
def test_the_login_itself_begins_none_for_a_fetch(visitor: Visitor, cobot: StandIn, headers: dict[str, str]) -> None:
    response = visitor.get("/cobot/login?space=co-up&next=/co-up/desk", headers=headers)

    assert response.status_code == 401
    assert response.json is not None
    assert response.json["login_url"] == "/cobot/login?space=co-up&next=/co-up/desk"
    assert "Set-Cookie" not in response.headers
    assert cobot.requests == []


def test_six_fetches_evict_no_login_of_a_person(visitor: Visitor) -> None:
    answer = visitor.answer(visitor.begin("/desk", headers=NAVIGATION))

    for _ in range(6):
        visitor.browser.get("/desk", headers=FETCH, follow_redirects=True)
        visitor.get("/cobot/login", headers=FETCH)

    assert visitor.get(answer, headers=NAVIGATION).location == "/desk"
    assert visitor.sees("/") is not None


def test_a_fetch_to_the_login_is_no_failed_login(portal: Flask, visitor: Visitor) -> None:
    visitor.get("/cobot/login", headers=FETCH)

    assert portal.extensions["cobot_oidc"].events.counts == {}


def test_a_single_page_app_logs_in_as_the_readme_says(visitor: Visitor) -> None:
    problem = visitor.get("/desk", headers=FETCH).json
    assert problem is not None

    url = problem["login_url"].partition("?")[0] + "?next=/app/%23/inbox"
    arrived = visitor.get(visitor.answer(visitor.begin(url, headers=NAVIGATION)), headers=NAVIGATION)

    assert arrived.location == "/app/#/inbox"
    assert visitor.get("/desk", headers=FETCH).status_code == 200


def test_a_fetch_of_somebody_who_is_logged_in_gets_the_answer(visitor: Visitor) -> None:
    visitor.log_in("/desk")

    assert visitor.get("/desk", headers=FETCH).status_code == 200
