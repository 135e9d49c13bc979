"""Clients of the API with somebody's token, in an app context of a portal."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import APIError, CobotAPI
from cobot_oidc.api import places
from cobot_oidc.standin import StandIn

EVERYTHING = (
    "read_user read_spaces read_memberships write_memberships read_resources read_bookings write_bookings "
    "read_invoices read_check_ins write_check_ins"
)

MakeAPI = Callable[..., CobotAPI]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that calls waited, if they had: no test sleeps."""
    seconds: list[float] = []
    monkeypatch.setattr(places, "sleep", seconds.append)
    return seconds


@pytest.fixture
def in_portal(portal: Flask, waits: list[float]) -> Iterator[Flask]:
    """The portal, with its app context around the test."""
    del waits
    with portal.app_context():
        yield portal


@pytest.fixture
def make_api(in_portal: Flask, cobot: StandIn) -> MakeAPI:
    """Makes clients of the API with a token of somebody, by default with every scope."""
    del in_portal

    def make(person: str = "grace", scope: str = EVERYTHING, *, space: str | None = None, **options: Any) -> CobotAPI:
        return CobotAPI(cobot.issue_token(person, scope), space=space, **options)

    return make


def refusal(call: Callable[[], object]) -> APIError:
    """The error of a call, which has neither cause nor context: their frames would hold the token (L02)."""
    with pytest.raises(APIError) as raised:
        call()
    error = raised.value
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


def how_often(app: Flask, event: str) -> int:
    """How often an app told the operator of an event."""
    counts: dict[tuple[str, str], int] = app.extensions["cobot_oidc"].events.counts
    return counts.get((event, ""), 0)
