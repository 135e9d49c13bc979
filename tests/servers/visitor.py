"""Somebody with a browser in front of a served app: TLS, real cookies, the stand-in's pages. Knows no pytest."""

from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import requests

from cobot_oidc.standin import StandIn

from .running import Site

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


class Visitor:
    """Keeps cookies as browsers do, and follows no redirect by itself."""

    def __init__(self, site: Site, cobot: StandIn) -> None:
        self._site = site
        self._cobot = cobot.browser()
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(site.bundle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.http.close()

    @property
    def origin(self) -> str:
        return self._site.url.rpartition("/")[0]

    def get(self, path: str, **headers: str) -> requests.Response:
        """A page: a path of the host, or of a redirect."""
        url = urljoin(self.origin, path)
        return self.http.get(url, headers=NAVIGATION | headers, allow_redirects=False, timeout=60)

    def post(self, path: str, **headers: str) -> requests.Response:
        return self.http.post(urljoin(self.origin, path), headers=headers, allow_redirects=False, timeout=60)

    def begin(self, path: str) -> requests.Response:
        """Ask for a page, and follow to the login: the answer that leads to the provider."""
        answer = self.get(path)
        while answer.status_code == 302 and answer.headers["Location"].startswith("/"):
            answer = self.get(answer.headers["Location"])
        assert answer.status_code == 302, (answer.status_code, answer.text)
        return answer

    def signed_in(self, begun: requests.Response, person: str = "ada") -> str:
        """Log in where the browser was sent to: the callback's URL, with the answer."""
        return self._cobot.sign_in(begun.headers["Location"], person)

    def log_in(self, path: str, person: str = "ada") -> requests.Response:
        """The whole way: the page that was asked for."""
        answer = self.get(self.signed_in(self.begin(path), person))
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return self.get(answer.headers["Location"])
