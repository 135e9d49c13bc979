"""A page that was under way while something changed: what it writes brings nothing back (X09, X10)."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from cachelib import FileSystemCache
from flask import Flask, session
from flask_session import Session
from redis import Redis
from werkzeug.exceptions import Forbidden
from werkzeug.test import TestResponse

from cobot_oidc import User, login_required, user_logged_in
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor
from .patience import eventually
from .redis_server import RedisServer

STORES = ["cookie", "files", "Redis"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings for Flask's own cookie, and for Flask-Session on files and on a real Redis."""
    if request.param == "cookie":
        return {}
    if request.param == "files":
        folder: Path = request.getfixturevalue("tmp_path")
        return {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": FileSystemCache(str(folder))}
    return {"SESSION_TYPE": "redis", "SESSION_REDIS": Redis.from_url(request.getfixturevalue("redis").url)}


class SlowPage:
    """A page that reads and writes the session, and takes as long as a test wants."""

    def __init__(self, portal: Flask) -> None:
        self._entered, self._may_go = threading.Event(), threading.Event()

        @portal.get("/slow")
        @login_required
        def slow() -> str:
            session["visits"] = session.get("visits", 0) + 1
            self._entered.set()
            self._may_go.wait(60)
            return "done"

        self._portal = portal

    def asked_for(self, visitor: Visitor, meanwhile: Callable[[], object]) -> TestResponse:
        """Ask for the page, let something happen before it answers, and let the browser take the late answer."""
        header = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)
        client = self._portal.test_client(use_cookies=False)
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(client.get, "/slow", headers={"Cookie": header})
            assert self._entered.wait(60)
            meanwhile()
            self._may_go.set()
            response: TestResponse = late.result()
        for set_cookie in response.headers.getlist("Set-Cookie"):
            for cookie in SimpleCookie(set_cookie).values():
                visitor.browser.set_cookie(cookie.key, cookie.value)
        return response


def copy_of(visitor: Visitor) -> str:
    """The cookie of somebody's session, as it is now."""
    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None
    return f"session={cookie.value}"


def with_store(portal: Flask, store: dict[str, Any]) -> Flask:
    if store:
        Session(portal)
    return portal


@pytest.mark.covers("X10")
def test_a_late_page_does_not_undo_a_logout(make_portal: MakePortal, cobot: StandIn, store: dict[str, Any]) -> None:
    portal = with_store(make_portal(**store), store)
    slow = SlowPage(portal)
    visitor = Visitor(portal, cobot)
    for path in ("/desk", "/co-up/desk"):
        visitor.log_in(path)

    assert slow.asked_for(visitor, lambda: visitor.log_out()).status_code == 200

    assert visitor.sees("/") is None
    assert visitor.sees("/co-up/open") is None
    visitor.log_in("/desk")  # in the same second
    assert visitor.sees("/") is not None
    assert visitor.sees("/co-up/open") is None


@pytest.mark.covers("X10")
def test_a_late_page_undoes_no_logout_from_many_spaces(make_portal: MakePortal, cobot: StandIn, clock: Clock) -> None:
    portal = make_portal()
    slow = SlowPage(portal)
    spaces = [f"space-{number}" for number in range(14)]
    cobot.spaces.update({space: space for space in spaces})
    visitor = Visitor(portal, cobot)
    visitor.log_in("/desk")
    for space in spaces:
        clock.move(61)
        visitor.log_in(f"/{space}/desk")

    def goes_home() -> None:
        visitor.log_out()
        portal.extensions["cobot_oidc"].ended_logins._names.clear()  # what another process knows

    slow.asked_for(visitor, goes_home)

    assert [space for space in spaces if visitor.sees(f"/{space}/open")] == []
    clock.move(2)
    visitor.log_in("/space-0/desk")
    assert [space for space in spaces if visitor.sees(f"/{space}/open")] == ["space-0"]


@pytest.mark.covers("M11", "X10")
def test_a_late_page_does_not_undo_the_logout_from_one_space(
    make_portal: MakePortal, cobot: StandIn, store: dict[str, Any]
) -> None:
    portal = with_store(make_portal(**store), store)
    slow = SlowPage(portal)
    visitor = Visitor(portal, cobot)
    for path in ("/desk", "/co-up/desk"):
        visitor.log_in(path)

    slow.asked_for(visitor, lambda: visitor.log_out("co-up"))

    assert visitor.sees("/co-up/open") is None
    assert visitor.sees("/") is not None


@pytest.mark.covers("S08", "X10")
def test_a_visit_that_is_noted_late_does_not_undo_a_logout(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, store: dict[str, Any]
) -> None:
    portal = with_store(make_portal(COBOT_OIDC_SESSION_IDLE_LIFETIME=3600, **store), store)
    slow = SlowPage(portal)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/desk")
    clock.move(1800)

    slow.asked_for(visitor, lambda: visitor.log_out())

    assert visitor.sees("/") is None


@pytest.mark.covers("F24", "X10")
def test_a_late_page_does_not_bring_back_who_was_logged_in_before(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, store: dict[str, Any]
) -> None:
    portal = with_store(make_portal(**store), store)
    slow = SlowPage(portal)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/desk", "ada")
    visitor.log_in("/co-up/desk", "ada")

    def grace_takes_over() -> None:
        clock.move(60)
        answer = Visitor(portal, cobot).answer(visitor.begin("/cobot/login"), "grace")
        assert visitor.get(answer).status_code == 303

    slow.asked_for(visitor, grace_takes_over)

    assert visitor.sees("/") in (None, f"{cobot.issuer}#{cobot.people['grace'].subject}")
    assert visitor.sees("/co-up/open") is None


@pytest.mark.covers("S09", "X10")
def test_a_copy_of_a_session_ends_with_the_login(
    make_portal: MakePortal, cobot: StandIn, store: dict[str, Any]
) -> None:
    portal = with_store(make_portal(**store), store)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/desk")
    stolen = copy_of(visitor)

    visitor.log_out()

    assert visitor.get_with(stolen, "/desk").status_code == 302


@pytest.mark.covers("S09", "X10")
def test_a_copy_of_an_earlier_session_ends_with_the_logout(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    """Each requires_scope makes such an earlier login."""
    app = make_portal()
    ada = Visitor(app, cobot)
    ada.log_in("/desk")
    copy = copy_of(ada)
    clock.move(50)
    ada.get(ada.answer(ada.begin("/cobot/login")))
    clock.move(50)
    ada.log_out()

    assert ada.get_with(copy, "/").json["user"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("S09")
def test_two_browsers_that_log_in_within_one_second_are_logged_out_one_by_one(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    portal = make_portal()
    desk, phone = Visitor(portal, cobot), Visitor(portal, cobot)
    desk.log_in("/desk")
    phone.log_in("/desk")

    desk.log_out()

    assert desk.sees("/") is None
    assert phone.sees("/") is not None


@pytest.mark.covers("S09", "X10")
def test_with_redis_a_logout_reaches_every_process(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    here, there = (make_portal(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(2))
    visitor, began = Visitor(here, cobot), clock.now
    visitor.log_in("/desk")

    def seen_there() -> bool:
        return Visitor(there, cobot).get_with(copy, "/desk").status_code == 200

    copy = copy_of(visitor)
    assert seen_there()
    visitor.log_out()

    def is_ended_there() -> bool:
        clock.move(5)
        return not seen_there()

    eventually(is_ended_there)  # what other processes ended is learned in the background
    clock.now = began  # within the second of the login that has ended
    visitor.log_in("/desk")
    copy = copy_of(visitor)
    assert seen_there()


@pytest.mark.covers("X10")
def test_a_process_that_could_not_reach_redis_learns_of_logouts_afterwards(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    here, there = (make_portal(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(2))
    visitor = Visitor(here, cobot)
    visitor.log_in("/desk")
    copy = copy_of(visitor)
    elsewhere = Visitor(there, cobot)
    assert elsewhere.get_with(copy, "/desk").status_code == 200
    visitor.log_out()
    kept = redis.notes()
    redis.stop()
    for _ in range(30):  # a page every ten seconds, five minutes long
        clock.move(10)
        elsewhere.get_with(copy, "/desk")
    redis.start()
    redis.put_notes(kept)
    clock.move(10)

    def is_ended_there() -> bool:
        clock.move(10)
        return elsewhere.get_with(copy, "/desk").status_code != 200

    eventually(is_ended_there)


@pytest.mark.covers("X10")
@pytest.mark.parametrize("note", ["x", "²:abc", ":", "9" * 5000 + ":x", "1800000000:" + "0" * 32])
def test_who_can_write_to_redis_ends_nobody_s_login(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer, note: str
) -> None:
    here, there = (make_portal(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(2))
    first = Visitor(here, cobot)
    first.log_in("/desk", "grace")
    first.log_out()
    [key] = redis.notes()
    redis.put_notes({key: {note: clock.now}})

    visitor = Visitor(there, cobot)
    visitor.log_in("/desk")
    for _ in range(5):
        clock.move(10)
        assert visitor.get("/desk").status_code == 200


@pytest.mark.covers("S09", "X10")
@pytest.mark.parametrize("pause", [60, 3600])
def test_a_process_that_was_idle_lets_no_copy_in(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer, pause: float
) -> None:
    here, idle = (make_portal(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(2))
    visitor = Visitor(here, cobot)
    visitor.log_in("/desk")
    copy = copy_of(visitor)
    assert Visitor(idle, cobot).get_with(copy, "/desk").status_code == 200
    visitor.log_out()
    clock.move(pause)

    just_started = make_portal(COBOT_OIDC_REDIS_URL=redis.url)
    for process in (idle, just_started):
        assert Visitor(process, cobot).get_with(copy, "/desk").status_code == 302


@pytest.mark.covers("X10")
@pytest.mark.parametrize("pause", [7, 59])
def test_a_page_view_of_a_busy_process_does_not_wait_for_what_redis_knows_of_logouts(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer, pause: float
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_REDIS_URL=redis.url), cobot)
    visitor.log_in("/desk")
    visitor.get("/desk")
    redis.hang()
    try:
        began = time.monotonic()
        clock.move(pause)
        assert visitor.get("/desk").status_code == 200
        assert time.monotonic() - began < 0.25
        for thread in threading.enumerate():
            if thread.name == "cobot-oidc-ended-logins":
                thread.join(10)  # from now on Redis is known to be away
        began = time.monotonic()
        for _ in range(20):
            clock.move(pause)
            assert visitor.get("/desk").status_code == 200
        assert time.monotonic() - began < 20 * 0.25
    finally:
        redis.go_on()


@pytest.mark.covers("X10", "X11")
def test_after_a_pause_one_page_waits_for_a_redis_that_is_away(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_REDIS_URL=redis.url), cobot)
    visitor.log_in("/desk")
    redis.hang()
    try:
        clock.move(3600)
        began = time.monotonic()
        for _ in range(20):
            assert visitor.get("/desk").status_code == 200
        assert time.monotonic() - began < 2
    finally:
        redis.go_on()


@pytest.mark.parametrize("mark", ["", "x", "........", "0" * 4000, "é", "ffffffff" * 20])
def test_who_forges_the_mark_of_a_logout_logs_out_at_most(visitor: Visitor, mark: str) -> None:
    visitor.log_in("/desk")
    visitor.browser.set_cookie("cobot_oidc_ended", mark)

    assert visitor.get("/desk").status_code == 200
    assert visitor.sees("/co-up/open") is None
    assert visitor.log_out().status_code == 303
    assert visitor.sees("/") is None


@pytest.mark.covers("X09")
def test_a_refused_login_leaves_the_session_as_it_was(
    make_portal: MakePortal, cobot: StandIn, store: dict[str, Any]
) -> None:
    portal = with_store(make_portal(**store), store)

    @portal.get("/kept")
    def kept() -> dict[str, Any]:
        return {name: session[name] for name in session if not name.startswith(("cobot", "_"))}

    @portal.get("/keep")
    def keep() -> str:
        session["cart"] = ["coffee"]
        return "kept"

    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk", "ada")
    visitor.get("/keep")

    def refuse(_app: Flask, user: User) -> None:
        session["is_staff"] = True
        session["cart"].append(f"{user.subject} paid")
        session.pop("language", None)
        raise Forbidden

    with user_logged_in.connected_to(refuse, portal):
        assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 403

    assert visitor.get("/kept").json == {"cart": ["coffee"]}
    assert visitor.sees("/") is None
    assert visitor.sees("/co-up/open") is not None


@pytest.mark.covers("F06", "S21")
def test_two_spaces_answers_at_the_same_time_end_well_for_both(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal()
    visitor = Visitor(portal, cobot)
    answers = [visitor.answer(visitor.begin(f"/{space}/desk"), "grace") for space in ("co-up", "betahaus")]
    header = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)
    for space, delay in (("co-up", 0.1), ("betahaus", 0.3)):  # both are under way when the first one ends
        cobot.reply("token", delay=delay, issuer=cobot.space_issuer(space))

    with ThreadPoolExecutor(2) as pool:
        arrivals = [pool.submit(_arrive, portal, answer, header) for answer in answers]
        responses = sorted((arrival.result() for arrival in arrivals), key=lambda one: one[0])
    assert [response.status_code for _, response in responses] == [303, 303]
    for _, response in responses:
        for set_cookie in response.headers.getlist("Set-Cookie"):
            for cookie in SimpleCookie(set_cookie).values():
                visitor.browser.set_cookie(cookie.key, cookie.value)

    assert visitor.sees("/co-up/open") is not None
    assert visitor.sees("/betahaus/open") is not None


def _arrive(portal: Flask, answer: str, header: str) -> tuple[float, TestResponse]:
    response = portal.test_client(use_cookies=False).get(answer, headers={"Cookie": header})
    return time.monotonic(), response
