"""An app whose space is the one that Cobot shows it in, as docs/frames.md has it: a hint that chooses, and no login."""

import re
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, current_space, current_user, login_required
from cobot_oidc.standin import StandIn

from ..conftest import Clock, Visitor
from .test_frames import Frame, opened, ticket_in


@pytest.fixture
def app(settings: dict[str, Any], clock: Clock) -> Flask:
    app = Flask("portal")
    app.config.update(settings | {"COBOT_OIDC_EMBEDDED": True})
    oidc = CobotOIDC(app, space=lambda: oidc.embed.space if oidc.embed else None, clock=clock)

    @app.get("/desk")
    @login_required
    def desk() -> str:
        return f"{current_user.subject} at {current_space()}"

    return app


def shown_in(space: str) -> str:
    return f"/desk?cobot_embed=true&cobot_subdomain={space}"


def test_the_login_is_that_of_the_space_around_the_frame(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    window, page = frame.button(shown_in("co-up"))
    assert "space=co-up" in window
    ticket = ticket_in(opened(ada, window))
    [redeem] = re.findall(r'data-redeem="([^"]+)"', page.text)

    assert frame.post(redeem, {"ticket": ticket}).status_code == 204
    assert frame.get("/desk").text == f"{cobot.people['ada'].subject} at co-up"


def test_in_another_space_s_frame_the_same_person_is_nobody(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    window, _ = frame.button(shown_in("co-up"))
    assert frame.post("/cobot/frame", {"ticket": ticket_in(opened(ada, window))}).status_code == 204

    window, _ = frame.button(shown_in("betahaus"))
    assert "space=betahaus" in window
    assert frame.get(shown_in("co-up")).status_code == 200  # and is back where they are known


def test_outside_of_frames_the_app_belongs_to_no_space(app: Flask, cobot: StandIn) -> None:
    visitor = Visitor(app, cobot)

    assert visitor.begin("/desk").startswith(cobot.issuer)
