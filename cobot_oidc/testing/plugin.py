"""The pytest plugin: fixtures for an app's tests. pytest imports this module everywhere, so that it imports little.

It needs a fixture ``app`` of the project's own, as pytest-flask does: the Flask app to be tested.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from ..standin import StandIn


@pytest.fixture(scope="session")
def _running_cobot() -> "Iterator[StandIn]":
    from ..standin import StandIn

    with StandIn() as cobot:
        yield cobot


@pytest.fixture
def cobot(_running_cobot: "StandIn") -> "StandIn":
    """The stand-in Cobot in this process, as new and without clients: ``cobot.issuer``, ``cobot.alter(…)``."""
    _running_cobot.reset()
    _running_cobot.forget_clients()
    return _running_cobot


@pytest.fixture
def logged_in_client(app: "Flask") -> "FlaskClient":
    """A test client of the app that is logged in at the global provider. ``log_in(client, …)`` says more."""
    from .logins import log_in

    client = app.test_client()
    log_in(client)
    return client
