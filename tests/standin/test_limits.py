"""How many requests the API takes from each person, over all hosts, tokens and generations (docs/cobot.md 4)."""

from dataclasses import dataclass

import pytest

from cobot_oidc.standin import StandIn

from .asking import App


@dataclass
class Seconds:
    """A clock that is moved by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_the_61st_request_of_a_minute_is_refused(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(clock=seconds)
    app = App(cobot)

    statuses = [app.at("co-up", "user").status_code for _ in range(60)]
    refused = app.at("co-up", "user")

    assert set(statuses) == {200}
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert refused.json() == {"error": "Too many requests. Try again in 60 seconds."}
    assert cobot.refused_for_limit == 1


def test_a_person_is_counted_over_hosts_tokens_and_generations(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(calls=4, clock=seconds)
    first, second = App(cobot, "grace"), App(cobot, "grace")

    assert first.at("co-up", "user").status_code == 200
    assert second.at("betahaus", "bookings").status_code == 200
    assert second.two("user").status_code == 200
    assert first.ask(f"{cobot.issuer}/api/access_tokens/{second.token}").status_code == 200

    assert [app.at("co-up", "user").status_code for app in (first, second)] == [429, 429]
    assert App(cobot, "ada").at("co-up", "user").status_code == 200


def test_the_window_moves(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(calls=2, clock=seconds)
    app = App(cobot)
    app.at("co-up", "user")
    seconds.now += 40.5
    app.at("co-up", "user")

    assert app.at("co-up", "user").headers["Retry-After"] == "20"
    seconds.now += 19.4
    assert app.at("co-up", "user").headers["Retry-After"] == "1"
    seconds.now += 0.1
    assert app.at("co-up", "user").status_code == 200
    assert app.at("co-up", "user").headers["Retry-After"] == "41"


def test_refused_requests_do_not_count(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(calls=1, clock=seconds)
    app = App(cobot)
    app.at("co-up", "user")
    for _ in range(3):
        seconds.now += 15
        assert app.at("co-up", "user").status_code == 429

    seconds.now += 15
    assert app.at("co-up", "user").status_code == 200
    assert cobot.refused_for_limit == 3


def test_members_are_listed_six_times_a_minute_in_both_generations_together(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(clock=seconds)
    alex = App(cobot, "alex")

    for _ in range(3):
        assert alex.at("co-up", "memberships").status_code == 200
        assert alex.two("memberships").status_code == 200

    assert alex.at("betahaus", "memberships").status_code == 429
    assert alex.two("spaces/co-up/memberships").headers["Retry-After"] == "60"
    assert alex.at("co-up", "memberships/m-ada").status_code == 200
    assert alex.at("co-up", "user").status_code == 200


def test_a_refused_list_of_members_does_not_count_among_the_others(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(calls=2, memberships=1, clock=seconds)
    alex = App(cobot, "alex")

    statuses = [alex.at("co-up", path).status_code for path in ("memberships", "memberships", "user", "user")]

    assert statuses == [200, 429, 200, 429]


def test_the_second_generation_refuses_with_a_list_of_errors(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(calls=0, clock=seconds)

    refused = App(cobot).two("bookings")

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert refused.headers["Content-Type"] == "application/vnd.api+json"
    assert [error["status"] for error in refused.json()["errors"]] == ["429"]


def test_logins_and_public_answers_are_not_limited(cobot: StandIn, seconds: Seconds) -> None:
    cobot.limit(calls=0, clock=seconds)
    app, nobody = App(cobot), App(cobot, None)

    assert nobody.at("co-up", "plans").status_code == 200
    assert nobody.two("plans").status_code == 200
    assert nobody.ask(f"{cobot.issuer}/.well-known/openid-configuration").status_code == 200
    assert nobody.ask(f"{cobot.issuer}/jwks.json").status_code == 200
    assert app.at("co-up", "userinfo").status_code == 200
    assert cobot.refused_for_limit == 0


def test_the_limit_can_be_turned_off_and_comes_back_with_a_reset(cobot: StandIn) -> None:
    cobot.limit(None)
    app = App(cobot)
    assert {app.at("co-up", "user").status_code for _ in range(70)} == {200}

    cobot.reset()
    app = App(cobot)
    assert [app.at("co-up", "user").status_code for _ in range(61)][-1] == 429
