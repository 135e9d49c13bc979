"""Somebody with a browser in front of the app, who logs in, cancels and logs out at the provider's own pages."""

import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from .pages import walk
from .portal import Portal
from .process import RunningProvider


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser, one app, one provider."""

    page: Page
    portal: Portal
    provider: RunningProvider

    def meet(self, client_id: str = "client_secret_post", **changes: Any) -> None:
        """Run the app as this client, and with these changes of its configuration."""
        world, client = self.provider.world, self.provider.world.clients[client_id]
        settings = {"ISSUER": world.issuer, **self.provider.provider.settings, **client.settings}
        if self.provider.provider.wants_its_token_endpoint and client.method.endswith("_jwt"):
            settings["CLIENT_AUTH_AUDIENCE"] = self.provider.document["token_endpoint"]  # what its operator would write
        self.portal.configure(settings | changes)

    def log_in(self, path: str = "/me") -> None:
        """Ask for a page of the app, and do what the provider asks for until the browser is back."""
        self._go(path, self.provider.provider.log_in(self.provider.world))

    def cancel(self) -> None:
        """Begin a login, and change one's mind."""
        self._go("/me", self.provider.provider.cancel(self.provider.world))

    def log_out(self) -> None:
        """Press the app's button, and do what the provider asks for until the browser is back."""
        self.page.goto(self.portal.address)
        self.page.click("#log-out")
        # The button's own page is at the app, so it is the page after the logout that is waited for.
        walk(self.page, self.provider.provider.log_out, until=f"{self.portal.address}/cobot/")

    def _go(self, path: str, steps: Any) -> None:
        self.page.goto(self.portal.address + path)
        walk(self.page, steps, until=f"{self.portal.address}/")

    @property
    def known_as(self) -> dict[str, Any]:
        """What the app's page says of whoever is logged in; empty, if nobody is."""
        if self.portal.failures or not self.page.url.startswith(f"{self.portal.address}/me"):
            return {}
        seen: dict[str, Any] = json.loads(self.page.locator("body").inner_text())
        return seen
