"""What stands in the log for the operator, and on no page."""

import logging
from typing import Any

import pytest

from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor

FORGED = "%3Cscript%3E%1B[31m" + "x" * 500


@pytest.mark.covers("F17", "L03")
@pytest.mark.parametrize("state", ["", "&state=", "&state=unknown"])
@pytest.mark.parametrize("cookies", [True, False])
def test_a_provider_s_error_to_no_login_is_in_the_log_alone(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, state: str, cookies: bool
) -> None:
    if cookies:
        visitor.begin("/desk")

    with caplog.at_level(logging.WARNING, "cobot_oidc"):
        page = visitor.get(f"/cobot/callback?error=invalid_scope&error_description={FORGED}{state}")

    message = caplog.records[-1].getMessage()
    assert "transaction_unknown" in message or "cookies_missing" in message
    assert "error 'invalid_scope'" in message
    assert "description '<script>\\x1b[31mxxx" in message
    assert "x" * 201 not in message
    assert page.status_code == 400
    assert "invalid_scope" not in page.text
    assert "script" not in page.text


def test_a_provider_s_error_to_a_login_that_took_too_long_is_in_the_log(
    visitor: Visitor, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    callback = visitor.answer(visitor.begin("/desk"), cancel=True)
    clock.move(601)

    with caplog.at_level(logging.WARNING, "cobot_oidc"):
        assert visitor.get(callback).status_code == 400

    message = caplog.records[-1].getMessage()
    assert "transaction_expired" in message
    assert "access_denied" in message


def told(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if getattr(record, "event", "") == "claim_missing"]


def test_a_configured_claim_that_does_not_come_is_told_once(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    portal = make_portal(COBOT_OIDC_CLAIMS="name groups locale")
    with caplog.at_level(logging.INFO, "cobot_oidc"):
        for person in ("ada", "grace"):
            Visitor(portal, cobot).log_in("/desk", person)

    assert [(record.levelno, record.claim) for record in told(caplog)] == [
        (logging.INFO, "groups"),
        (logging.INFO, "locale"),
    ]
    assert "COBOT_OIDC_USERINFO" in told(caplog)[0].getMessage()


def test_nothing_is_told_of_claims_that_come_or_that_nobody_configured(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cobot_oidc"):
        for changes in (
            {},
            {"COBOT_OIDC_CLAIMS": "name email sub iss"},
            {"COBOT_OIDC_CLAIMS": "name groups", "COBOT_OIDC_USERINFO": True},
        ):
            Visitor(make_portal(**changes), cobot).log_in("/desk", "nina")

    assert told(caplog) == []
