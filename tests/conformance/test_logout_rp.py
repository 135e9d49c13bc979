"""The modules of the Foundation's plans for logouts, each under its own name, from the login to the logout token.

As in its suite, somebody logs out here, is sent on to the provider, and the provider posts a logout token before they
come back.
"""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from flask import Flask, request
from werkzeug.wrappers import Response

from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from ..conftest import CALLBACK, MakePortal, Visitor
from ..redis_server import RedisServer
from ..serving import listening

LOGOUT_TOKENS = "/cobot/backchannel-logout"
BACK = "/cobot/logged-out"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class LoggedIn:
    """Somebody who is logged in at a portal that the provider can reach.

    :ivar statuses: of the portal's answers to logout tokens.
    """

    def __init__(self, portal: Flask, cobot: StandIn) -> None:
        self.statuses: list[int] = []
        portal.after_request(self._note)
        self.visitor = Visitor(portal, cobot)
        self.visitor.log_in("/desk")

    def _note(self, response: Response) -> Response:
        if request.path == LOGOUT_TOKENS:
            self.statuses.append(response.status_code)
        return response

    def logs_out(self) -> list[int]:
        """Here, and there, and come back: how the logout token was answered meanwhile."""
        returned = self.visitor.at_cobot(self.visitor.log_out().location)
        assert returned.headers["Location"] == f"http://localhost{BACK}"
        assert self.comes_back("").status_code == 200
        assert self.visitor.sees("/") is None
        return self.statuses

    def comes_back(self, query: str) -> Any:
        return self.visitor.get(f"{BACK}{query}")


@pytest.fixture
def ada(make_portal: MakePortal, cobot: StandIn, redis: RedisServer) -> Iterator[LoggedIn]:
    cobot.offer_logout()
    with listening() as listener:
        cobot.register_client(
            "portal",
            secret="s3cret-of-the-portal",
            redirect_uri=CALLBACK,
            post_logout_redirect_uri=f"http://localhost{BACK}",
            backchannel_logout_uri=f"http://localhost:{listener.port}{LOGOUT_TOKENS}",
        )
        portal = listener.app = make_portal(
            COBOT_OIDC_LOGOUT_AT_PROVIDER=True, COBOT_OIDC_BACKCHANNEL_LOGOUT=True, COBOT_OIDC_REDIS_URL=redis.url
        )
        yield LoggedIn(portal, cobot)


@pytest.mark.module("oidcc-client-test-rp-init-logout")
@pytest.mark.requirement("RP-Logout-2-1", "RP-Logout-3-1")
def test_oidcc_client_test_rp_init_logout(ada: LoggedIn) -> None:
    assert ada.logs_out() == [200]


@pytest.mark.module("oidcc-client-test-rp-init-logout-other-state")
def test_oidcc_client_test_rp_init_logout_other_state(ada: LoggedIn) -> None:
    ada.logs_out()

    assert ada.comes_back("?state=another").status_code == 200
    assert ada.visitor.sees("/") is None


@pytest.mark.module("oidcc-client-test-rp-init-logout-no-state")
def test_oidcc_client_test_rp_init_logout_no_state(ada: LoggedIn) -> None:
    location = ada.visitor.log_out().location

    assert "state=" not in location
    assert ada.comes_back("").status_code == 200


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout")
def test_oidcc_client_test_rp_backchannel_rpinitlogout(ada: LoggedIn) -> None:
    assert ada.logs_out() == [200]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-alg-none")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_alg_none(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token", lambda token: resigned(token, "", "none"))

    assert ada.logs_out() == [400]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-no-event")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_no_event(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token_claims", {"events": REMOVED})

    assert ada.logs_out() == [400]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token_claims", {"nonce": "n"})

    assert ada.logs_out() == [400]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token", lambda token: resigned(token, "s" * 32, "HS256"))

    assert ada.logs_out() == [400]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token_claims", {"aud": "portal1"})

    assert ada.logs_out() == [400]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token_claims", {"events": {f"{EVENT}/wrong": {}}})

    assert ada.logs_out() == [400]


@pytest.mark.module("oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss")
def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token_claims", {"iss": f"{cobot.issuer}/1"})

    assert ada.logs_out() == [400]


@pytest.mark.requirement("BC-Logout-2.4-1", "BC-Logout-2.5-1")
def test_what_a_logout_token_and_its_request_have_in_addition_is_ignored(ada: LoggedIn, cobot: StandIn) -> None:
    cobot.alter("logout_token_claims", {"x": {"y": [1]}})
    form = {"logout_token": cobot.logout_token("ada"), "x": "y"}

    assert ada.visitor.browser.application.test_client().post(LOGOUT_TOKENS, data=form).status_code == 200
    assert ada.visitor.sees("/") is None


def resigned(token: str, key: str, algorithm: str) -> str:
    """The same claims under another algorithm."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm=algorithm, headers={"typ": "logout+jwt"})
