"""Where the API is for one app, and what all its clients share: connections, budgets, and the app's client id."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import sleep

from limits import parse

from ..errors import APIError
from ..installation import Installation
from ..issuers import Issuers, Registration
from ..protocol.client import Client
from ..settings import API_LIMIT, COBOT_API_URL, COBOT_ISSUER, COBOT_SPACE_ISSUER, ProviderSettings
from .addresses import Addresses
from .budget import Budget
from .connection import Connection


@dataclass(frozen=True, slots=True)
class Place:
    """The API of one provider, as one app sees it.

    :ivar issuer: the global provider's.
    :ivar registration_of: how the app is registered at a space's issuer; ``None`` for a space that it does not serve.
    :ivar api_2: the URL of API 2; ``None`` if the provider has none.
    """

    connection: Connection
    issuer: str
    registration_of: Callable[[str | None], Registration | None]
    api_2: str | None

    def addresses(self, space: str | None) -> Addresses:
        """Where the API is for a space.

        :raises APIError: ``address_forbidden`` if there is no such space.
        """
        registration = self.registration_of(space)
        if registration is None:
            raise APIError("address_forbidden", expected="a space that COBOT_OIDC_SPACES lists", got=space)
        is_others = registration.callback is not None  # its tokens go nowhere but to its own host
        account = registration.issuer if is_others else self.issuer
        return Addresses(registration.issuer, None if is_others else self.api_2, account)

    def client_id_of(self, space: str | None) -> str | None:
        """The app's client at a space; empty outside an app."""
        registration = self.registration_of(space)
        return None if registration is None else registration.client.client_id


def place_of(installed: Installation | None) -> Place:
    """The API of an app's provider; Cobot's, outside an app.

    A forked process gets connections and budgets of its own (K20).
    """
    return _cobot(os.getpid()) if installed is None else installed.once(f"api {os.getpid()}", lambda: _of(installed))


def _of(installed: Installation) -> Place:
    settings = installed.settings
    budget = Budget(parse(settings.api_limit), installed.store)
    connection = Connection(settings.provider, budget, installed.events.tell, sleep=sleep)
    issuers = settings.issuers
    return Place(connection, issuers.provider.issuer, issuers.registration_of, settings.api_url)


@lru_cache(maxsize=1)
def _cobot(_process: int) -> Place:
    settings = ProviderSettings()
    issuers = Issuers.of(
        client=Client("", None, "none"),
        issuer=COBOT_ISSUER,
        template=COBOT_SPACE_ISSUER,
        exceptions={},
        spaces="*",
        allowed_hosts=(),
    )
    connection = Connection(settings, Budget(parse(API_LIMIT)), lambda _: None, sleep=sleep)
    return Place(connection, COBOT_ISSUER, issuers.registration_of, COBOT_API_URL)
