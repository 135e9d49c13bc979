"""What the Foundation's modules play with: a portal that also asks userinfo, and somebody in front of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from cobot_oidc import CobotOIDCError, login_failed
from cobot_oidc.standin import StandIn

from ..conftest import MakePortal, Visitor

USERINFO, TOKEN, KEYS = "/api/userinfo", "/oauth/access_token", "/jwks.json"


class RelyingParty(Visitor):
    """The portal and a person, seen as the Foundation's suite sees them: by what arrives at the provider.

    :ivar codes: of the failed logins so far, within ``noting_codes``.
    """

    def __init__(self, app: Flask, cobot: StandIn) -> None:
        super().__init__(app, cobot)
        self.cobot = cobot
        self.codes: list[str] = []

    def accepts(self) -> None:
        """A login ends well, and claims are asked for with its access token."""
        before = self.cobot.asked(USERINFO)
        page = self.log_in("/desk")
        assert page.json is not None
        assert page.json["user"] == f"{self.cobot.issuer}#{self.cobot.people['ada'].subject}"
        assert self.cobot.asked(USERINFO) == before + 1

    def refuses(self, code: str, *, status: int = 502) -> None:
        """A login ends with this error, and nobody is logged in. A token that was refused is not used."""
        answer = self.get(self.answer(self.begin("/desk")))
        assert (answer.status_code, self.codes) == (status, [code])
        assert self.sees("/") is None
        assert self.get("/desk").status_code == 302

    @contextmanager
    def noting_codes(self) -> Iterator[None]:
        """Remember why logins fail."""
        app = self.browser.application

        def note(_app: Flask, error: CobotOIDCError) -> None:
            self.codes.append(error.code)

        with login_failed.connected_to(note, app):
            yield


@pytest.fixture
def relying_party(make_portal: MakePortal, cobot: StandIn) -> Iterator[RelyingParty]:
    """The portal, which asks userinfo too, as the suite ends a test by that."""
    party = RelyingParty(make_portal(COBOT_OIDC_USERINFO=True), cobot)
    with party.noting_codes():
        yield party
