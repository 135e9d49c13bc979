"""What the commands ask over the network: documents of providers, several at once, each within the app's own limits.

Nothing is raised: an answer knows what went wrong. What an answer means is for others to say.
"""

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import click

from ..errors import CobotOIDCError, ProviderError
from ..issuers import Registration
from ..protocol.discovery import ProviderMetadata, configuration_url
from ..provider.copies import refuse_no_document
from ..provider.http import HTTPClient, HTTPResponse

T = TypeVar("T")

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What came from one URL.

    :ivar response: ``None`` if nothing came that can be used.
    :ivar error: why not; ``None`` if something came.
    :ivar asked_at: seconds since the epoch by our clock, as ``answered_at``.
    """

    url: str
    response: HTTPResponse | None
    error: ProviderError | None
    asked_at: float
    answered_at: float

    def read(self, reader: Callable[[bytes], T]) -> T:
        """The document in the answer.

        :param reader: reads its bytes, or raises ``CobotOIDCError``.
        :raises CobotOIDCError: if there is no such document.
        """
        if self.error is not None:
            raise self.error.copy()
        if self.response is None:
            raise ProviderError("response_unusable", url=self.url)
        refuse_no_document(self.response, self.url)
        return reader(self.response.body)


def ask(http: HTTPClient, urls: Iterable[str], clock: Callable[[], float], label: str) -> dict[str, Answer]:
    """Ask each of these once, some at the same time, with a progress line on a terminal.

    :param clock: seconds since the epoch.
    """
    different = list(dict.fromkeys(urls))
    if not different:
        return {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(_answer, http, url, clock) for url in different]
        if sys.stderr.isatty():
            with click.progressbar(as_completed(futures), len(futures), label, file=sys.stderr) as finished:
                for _ in finished:
                    pass
        return {answer.url: answer for answer in (future.result() for future in futures)}


def document_at(http: HTTPClient, url: str, read: Callable[[bytes], T], clock: Callable[[], float]) -> T:
    """Ask for one document.

    :param read: as for ``Answer.read``.
    :raises CobotOIDCError: if there is no such document.
    """
    return ask(http, [url], clock, "Asking the provider")[url].read(read)


def metadata_of(http: HTTPClient, registration: Registration, clock: Callable[[], float]) -> ProviderMetadata:
    """The document of an issuer.

    :raises CobotOIDCError: if there is none that can be used.
    """
    return document_at(http, configuration_url(registration.issuer), metadata_reader(registration), clock)


def metadata_reader(registration: Registration) -> Callable[[bytes], ProviderMetadata]:
    """What reads the document of this issuer."""
    return partial(ProviderMetadata.parse, issuer=registration.issuer, allowed_hosts=registration.allowed_hosts)


def _answer(http: HTTPClient, url: str, clock: Callable[[], float]) -> Answer:
    asked_at = clock()
    try:
        return Answer(url, http.get(url), None, asked_at, clock())
    except ProviderError as error:
        return Answer(url, None, error.copy(), asked_at, clock())


def outcome(read: Callable[[], T]) -> T | CobotOIDCError:
    """What this returns, or the error that it raises."""
    try:
        return read()
    except CobotOIDCError as error:
        return error.copy()
