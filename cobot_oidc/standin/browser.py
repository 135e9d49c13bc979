"""A simple browser for tests: it fills in the stand-in's own pages over real HTTP."""

import re
from urllib.parse import urlsplit

import requests


class Browser:
    """Keeps cookies, and presses the right buttons. It resolves names below ``localhost`` to 127.0.0.1."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        # The cookie jar uses host names, but we connect to an address. A stand-in has one cookie, so we keep it here.
        self._cookies: dict[str, str] = {}

    def sign_in(self, authorization_url: str, person: str, *, cancel: bool = False) -> str:
        """Go from the authorization request to the URL that the browser is sent back to.

        :raises RuntimeError: if the stand-in refuses the request.
        """
        page = self._ask("GET", authorization_url)
        if cancel:
            return self._pressed(authorization_url, page, {"cancel": "1"}).headers["Location"]
        if f'value="{person}"' in page.text:
            self._pressed(authorization_url, page, {"person": person})
            page = self._ask("GET", authorization_url)
        return self._pressed(authorization_url, page, {"allow": "1"}).headers["Location"]

    def get(self, url: str) -> requests.Response:
        """A page, as this browser gets it. It follows no redirect."""
        return self._ask("GET", url)

    def _pressed(self, url: str, page: requests.Response, button: dict[str, str]) -> requests.Response:
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        if csrf is None:
            raise RuntimeError(f"the stand-in did not show a form: {page.status_code} {page.text[-500:]}")
        return self._ask("POST", url, {"csrf": csrf[1], **button})

    def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> requests.Response:
        parts = urlsplit(url)
        response = self._session.request(
            method,
            parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl(),
            headers={"Host": parts.netloc},
            cookies=self._cookies,
            data=form,
            allow_redirects=False,
            timeout=60,
        )
        self._cookies.update(response.cookies.get_dict())
        self._session.cookies.clear()
        return response
