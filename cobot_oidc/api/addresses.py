"""Which addresses a call may go to: no path and no link leads an access token away from Cobot (docs/cobot.md 4).

Paths that begin with ``/api/`` belong to API 1, which every space and the global provider have below their own host;
all others to API 2, which has a host of its own.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ..errors import APIError

LONGEST_PATH = 2048  # characters

_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%-][A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the API is.

    :ivar api_1: the issuer below which API 1 is: a space's, or the global provider's.
    :ivar api_2: the URL of API 2; ``None`` if the provider has none.
    :ivar account: the issuer below which API 1 knows people and tokens: the provider's own, for all of its spaces.
    """

    api_1: str
    api_2: str | None
    account: str

    def url(self, path: str) -> str:
        """The URL of a path.

        :raises APIError: ``address_forbidden`` if it is not a plain path, or would be one of API 2 where there is none.
        """
        if not _is_plain(path):
            raise APIError("address_forbidden", expected="a path such as /bookings, without a query", got=path)
        base = self.api_1.removesuffix("/") if is_of_api_1(path) else self.api_2
        if base is None:
            raise APIError("address_forbidden", setting="COBOT_OIDC_API_URL", expected="the URL of API 2", got=path)
        return base + path

    def of_account(self, path: str) -> str:
        """The URL of a path of API 1 that is about a person or a token, and no space's."""
        return self.account.removesuffix("/") + path

    def followed(self, link: object) -> str | None:
        """The URL of a document's link to its next page; ``None`` if there is none.

        :raises APIError: ``address_forbidden`` if it leads anywhere but to API 2.
        """
        if link is None:
            return None
        text, path = link if isinstance(link, str) else "", ""
        if self.api_2 is not None and len(text) <= 2 * LONGEST_PATH and text.isascii() and text.isprintable():
            path = text.removeprefix(self.api_2) if text.startswith(f"{self.api_2}/") else ""
        if not _is_plain(path.partition("?")[0]) or "#" in path:
            got = text.partition("?")[0] or link  # a query may repeat the token
            raise APIError("address_forbidden", expected=f"a link below {self.api_2}", got=got)
        return text


def is_of_api_1(path: str) -> bool:
    """Whether this is a path of API 1."""
    return path.startswith("/api/")


def _is_plain(path: str) -> bool:
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
        return False
    # An id that somebody typed must not become another resource: /bookings/../users
    return not {".", ".."}.intersection(re.split(r"[/\\]", unquote(unquote(path))))
