"""Requests to the stand-in's API, as an app would make them."""

from typing import Any
from urllib.parse import urlsplit

import requests

from cobot_oidc.standin import StandIn

EVERYTHING = (
    "read_user read_spaces read_memberships write_memberships read_resources read_bookings write_bookings "
    "read_invoices read_check_ins write_check_ins"
)
JSON_API = {"Content-Type": "application/vnd.api+json"}


class App:
    """An app with somebody's access token.

    :param scope: what the token allows; by default everything. :param space: the space that it acts for.
    """

    def __init__(
        self, cobot: StandIn, person: str | None = "grace", scope: str = EVERYTHING, space: str | None = None
    ) -> None:
        self._cobot = cobot
        self.token = cobot.issue_token(person, scope, space=space) if person else None

    def ask(self, url: str, method: str = "GET", **options: Any) -> requests.Response:
        """One request to a name below ``localhost``."""
        parts = urlsplit(url)
        headers = {"Host": parts.netloc, **options.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        address = parts._replace(netloc=f"127.0.0.1:{self._cobot.port}").geturl()
        return requests.request(method, address, headers=headers, timeout=60, allow_redirects=False, **options)

    def at(self, space: str, path: str, method: str = "GET", **options: Any) -> requests.Response:
        """A request to the first generation, at a space."""
        return self.ask(f"{self._cobot.space_issuer(space)}/api/{path}", method, **options)

    def two(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        """A request to the second generation; ``json`` is sent as JSON:API."""
        headers = JSON_API if "json" in options else {}
        return self.ask(
            f"{self._cobot.api}/{path}", method, headers={**headers, **options.pop("headers", {})}, **options
        )
