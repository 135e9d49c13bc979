"""Here the tests are the client, and say secrets themselves."""

import pytest

from cobot_oidc.standin import StandIn


@pytest.fixture
def cobot(unwatched_cobot: StandIn) -> StandIn:
    """The stand-in without a watch for its secrets."""
    return unwatched_cobot
