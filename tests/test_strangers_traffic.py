"""What a stranger sends costs nobody else their login (X03, X04, X05, X07)."""

import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor
from .patience import Held, eventually

LOOPS = 12


def with_junk(callback: str) -> str:
    """The answer with a code that nobody issued."""
    return re.sub(r"code=[^&]+", "code=junk", callback)


def sends_junk(portal: Flask, cobot: StandIn) -> int:
    """A stranger begins a login and answers it themselves: the status of the page that they get."""
    stranger = Visitor(portal, cobot)
    state = re.search(r"state=([^&]+)", stranger.begin("/cobot/login"))
    assert state is not None
    return stranger.get(f"/cobot/callback?code=junk&state={state[1]}").status_code


@pytest.mark.covers("X03")
@pytest.mark.parametrize("status", [400, 429, 500, 502, 503])
def test_codes_that_the_provider_chokes_on_close_no_login(
    portal: Flask, visitor: Visitor, cobot: StandIn, clock: Clock, status: int
) -> None:
    for _ in range(3):
        cobot.reply("token", status=status, body=b"", times=6)
        for _ in range(6):
            assert sends_junk(portal, cobot) in (400, 502, 503)
        clock.move(30)
        visitor.log_out()
        assert visitor.log_in("/desk").status_code == 200
    assert ("breaker_opened", "") not in CobotOIDC().counts(portal)


@pytest.mark.covers("N05", "X03")
def test_a_provider_that_answers_429_is_not_down(visitor: Visitor, cobot: StandIn) -> None:
    callback = visitor.answer(visitor.begin("/desk"))
    cobot.reply("token", status=429, headers={"Retry-After": "17"}, times=1)

    page = visitor.get(callback)

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "17"


@pytest.mark.covers("X04")
def test_a_dozen_loops_of_junk_keep_nobody_out(portal: Flask, cobot: StandIn) -> None:
    Visitor(portal, cobot).log_in("/desk")
    cobot.reply("token", delay=0.1)
    answers = [(one := Visitor(portal, cobot), one.answer(one.begin("/desk"))) for _ in range(8)]

    with ThreadPoolExecutor(LOOPS + 1) as pool:
        junk = [pool.submit(lambda: [sends_junk(portal, cobot) for _ in range(8)]) for _ in range(LOOPS)]
        honest = [one.get(answer).status_code for one, answer in answers]
        assert {status for loop in junk for status in loop.result()} <= {400, 503}

    assert honest == [303] * 8


@pytest.mark.covers("X04")
def test_nobody_loses_a_login_for_want_of_room(portal: Flask, visitor: Visitor, cobot: StandIn) -> None:
    visitor.log_in("/co-up/desk")
    answer = visitor.answer(visitor.begin("/desk"))
    strangers = [Visitor(portal, cobot) for _ in range(40)]
    junk = [with_junk(stranger.answer(stranger.begin("/desk"))) for stranger in strangers]
    held = Held()
    cobot.alter("token", held)

    with ThreadPoolExecutor(40) as pool:
        waiting: list[Future[Any]] = [pool.submit(one.get, url) for one, url in zip(strangers, junk, strict=True)]
        eventually(lambda: ("login_failed", "provider_busy") in CobotOIDC().counts(portal), "a full line")
        page = visitor.get(answer)
        held.may_go.set()
        for future in waiting:
            assert future.result().status_code in (400, 503)

    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) == 1
    assert "Set-Cookie" not in page.headers
    assert '<a class="button" href="">Try again</a>' in page.text
    cobot.reset()
    cobot.register_client(
        "portal", secret="s3cret-of-the-portal", redirect_uri="http://localhost/cobot/callback", name="Portal"
    )


@pytest.mark.covers("X04")
def test_an_answer_that_found_no_room_counts_the_second_time(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    portal = make_portal(COBOT_OIDC_READ_TIMEOUT=1, COBOT_OIDC_TOTAL_TIMEOUT=1)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk")
    answer = visitor.answer(visitor.begin("/desk"))
    cobot.reply("token", delay=5, times=5, issuer=cobot.issuer)
    for _ in range(5):
        assert sends_junk(portal, cobot) == 503
    paused = visitor.get(answer)
    assert paused.status_code == 503  # nobody answers there: it is left alone for half a minute
    assert CobotOIDC().counts(portal)["login_failed", "provider_paused"] == 1

    clock.move(30)

    assert visitor.get(answer).status_code == 303
    assert visitor.sees("/") is not None


def test_a_provider_whose_keys_are_gone_costs_no_login_its_code(visitor: Visitor, cobot: StandIn, clock: Clock) -> None:
    answer = visitor.answer(visitor.begin("/desk"))
    visitor.get("/desk")
    clock.move(500)  # the keys that came with the login's beginning are aging
    cobot.reply("key_set", status=503)
    fresh = Visitor(visitor.browser.application, cobot)
    assert fresh.get(fresh.answer(fresh.begin("/desk"))).status_code == 303
    assert visitor.get(answer).status_code == 303


@pytest.mark.covers("X05")
def test_invented_spaces_push_no_real_one_out(make_portal: MakePortal, cobot: StandIn, clock: Clock) -> None:
    portal = make_portal()
    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk")
    visitor.log_out()
    cobot.requests.clear()
    stranger = portal.test_client()
    statuses = {stranger.get(f"/cobot/login?space=invented-{number}").status_code for number in range(1100)}

    assert statuses == {404, 503}
    assert cobot.asked("/.well-known/openid-configuration") <= 60
    clock.move(3700)  # the document is stale
    cobot.stop()
    try:
        assert visitor.begin("/cobot/login?space=co-up").startswith(cobot.space_issuer("co-up"))
    finally:
        cobot.start()


@pytest.mark.covers("X07")
def test_a_request_of_ours_ends_whatever_it_waits_for(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_REQUEST_TIMEOUT=2, COBOT_OIDC_USERINFO=True)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk")
    answer = visitor.answer(visitor.begin("/desk"))
    cobot.reply("token", delay=1.5)
    cobot.reply("userinfo", delay=1.5)
    began = time.monotonic()

    assert visitor.get(answer).status_code == 503

    assert time.monotonic() - began < 2 + 0.9  # and a busy machine
