"""A browser that logs in to an app on the loopback, with the provider's own pages left out."""

import base64
import time
import zlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from .provider import NO_NONCE

PATIENCE = 25.0  # seconds until a person gives up
LOGGED_IN = "logged in"
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Refused(Exception):
    """There is no login; what happened instead is the text."""


@dataclass(frozen=True)
class Answer:
    """The URL that the provider sends a browser back to, and how."""

    url: str
    parameters: dict[str, str]
    is_form: bool

    def but(self, **parameters: str) -> "Answer":
        return Answer(self.url, self.parameters | parameters, self.is_form)


class Browser:
    """Keeps cookies."""

    def __init__(self, app: str, issuer: str) -> None:
        self._app = app
        self._issuer = issuer
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(NAVIGATION)

    def begin(self) -> dict[str, str]:
        """Open the app's page, and return the parameters of the authorization request.

        :raises Refused: if the app leads nowhere.
        """
        page = self._within_the_app(self._get(f"{self._app}/"))
        if not page.is_redirect:
            raise Refused(_status(page))
        return {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}

    @staticmethod
    def allow(asked: dict[str, str]) -> Answer:
        """What the provider sends back once the person has allowed everything."""
        parameters = {"code": asked.get("nonce", NO_NONCE), "state": asked["state"]}
        return Answer(asked["redirect_uri"], parameters, asked.get("response_mode") == "form_post")

    def come_back(self, answer: Answer) -> str:
        """Bring the app the provider's answer: whether somebody is logged in then.

        :raises Refused: if not.
        """
        if answer.is_form:
            response = self._session.post(answer.url, answer.parameters, allow_redirects=False, timeout=PATIENCE)
        else:
            response = self._get(answer.url, answer.parameters)
        page = self._within_the_app(response)
        if page.is_redirect:
            raise Refused("refused, and sent to log in again")
        if "Hello Ada" not in page.text:
            raise Refused(_status(page))
        return LOGGED_IN

    @property
    def cookies(self) -> dict[str, str]:
        return self._session.cookies.get_dict()

    def reads_in_cookies(self, secret: str) -> bool:
        """Whether a cookie has this text for everybody who sees the cookie."""
        return any(secret in text for value in self.cookies.values() for text in (value, _of_flask(value)))

    def _get(self, url: str, parameters: dict[str, str] | None = None) -> requests.Response:
        began = time.monotonic()
        try:
            with self._session.get(url, params=parameters, allow_redirects=False, timeout=PATIENCE) as response:
                return response
        except requests.Timeout:
            raise Refused(f"no answer within {PATIENCE:.0f} s") from None
        except requests.ConnectionError:
            raise Refused(f"the connection ended after {time.monotonic() - began:.0f} s") from None

    def _within_the_app(self, response: requests.Response) -> requests.Response:
        for _ in range(8):
            target = urljoin(response.url, response.headers.get("Location", ""))
            if not response.is_redirect or target.startswith(self._issuer):
                break
            response = self._get(target)
        return response


def _status(response: requests.Response) -> str:
    return f"refused, {response.status_code}"


def _of_flask(cookie: str) -> str:
    """What Flask's signed cookie says to everybody; an empty text if it is none."""
    text = cookie.strip('"')
    payload = text.removeprefix(".").partition(".")[0]
    try:
        decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return (zlib.decompress(decoded) if text.startswith(".") else decoded).decode(errors="replace")
    except (ValueError, zlib.error):
        return ""
