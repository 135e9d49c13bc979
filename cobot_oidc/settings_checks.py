"""The checks of settings: each one reads one value of ``app.config``, or says what is expected instead.

A check knows neither its setting's key nor any other setting. Values come from Python or, with ``from_prefixed_env``,
from JSON in the environment, which turns digits into numbers.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .identity.user import User
from .issuers import Spaces, is_space_name
from .protocol.discovery import check_issuer
from .protocol.redirects import safe_next
from .protocol.urls import is_loopback, split_url

T = TypeVar("T")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ISSUER_EXPECTED = "an https URL without query, fragment or user (http only on localhost)"

_WELL_KNOWN = "/.well-known/"
_VSCHAR = re.compile(r"[\x20-\x7e]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_LIMIT = re.compile(r"[1-9][0-9]{0,5} ?(?:per|/) ?(?:[1-9][0-9]{0,3} )?(?:second|minute|hour|day)s?")
_URL_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_ALLOWED_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_SPACE_ISSUER = re.compile(r"https?://(?:\{space\}\.)?[^{}]+(?:/\{space\}[^{}]*)?")


class Unfit(ValueError):
    """A value that a setting cannot have.

    :ivar expected: what it can be.
    :ivar remedy: what to do, if a common mistake is the likely cause.
    :ivar about: the setting, if several are looked at together.
    """

    def __init__(self, expected: str, remedy: str | None = None, *, about: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.remedy = remedy
        self.about = about


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """The check of one setting.

    :ivar read: turns the value in ``app.config`` into the one that the app uses; raises ``Unfit``.
    :ivar accepts: the type of the value in ``app.config``, in Python's syntax.
    """

    read: Callable[[object], T]
    accepts: str


def reads(accepts: str) -> Callable[[Callable[[object], T]], Check[T]]:
    """Make a check from a function that accepts values of this type."""
    return lambda read: Check(read, accepts)


def optional(check: Check[T]) -> Check[T | None]:
    """Accept ``None``, or what the check accepts."""
    return Check(lambda value: None if value is None else check.read(value), f"{check.accepts} | None")


@reads("str")
def text(value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise Unfit(
            "text", "digits are read as a number by from_prefixed_env: put them in double quotes inside single ones"
        )
    if not isinstance(value, str) or not value:
        raise Unfit("printable ASCII text")
    if value != value.strip():
        where = "end" if value != value.rstrip() else "beginning"
        what = "a line break" if value.strip(" \t") != value.strip() else "a blank"
        raise Unfit(f"text without {what} at its {where}", f"remove {what} at its {where}")
    if not _VSCHAR.fullmatch(value):
        raise Unfit("printable ASCII text")
    return value


@reads("bool")
def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("True or False; in the environment, true or false")
    return value


def one_of(*choices: str) -> Check[str]:
    def read(value: object) -> str:
        if value not in choices:
            raise Unfit(f"{', '.join(choices[:-1])} or {choices[-1]}")
        return str(value)

    return Check(read, f"Literal[{', '.join(map(repr, choices))}]".replace("'", '"'))


def whole_number(lowest: int, highest: int) -> Check[int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise Unfit(f"a whole number from {lowest} to {highest}")
        return value

    return Check(read, "int")


def seconds(lowest: float, highest: float) -> Check[float]:
    def read(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not lowest <= value <= highest:
            raise Unfit(f"a number of seconds from {lowest:g} to {highest:g}")
        return float(value)

    return Check(read, "float")


def words(
    each: Callable[[str], object] = bool,
    expected: str = "a list of words",
    meant: Callable[[str], str | None] = lambda _: None,
) -> Check[tuple[str, ...]]:
    """Several words: a list, or one text with spaces between the words.

    :param each: tells whether a word is accepted.
    :param meant: the remedy for a word that may be none.
    """

    def read(value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            if "," in value:
                raise Unfit(expected, "put spaces between them, not commas")
            value = value.split()
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise Unfit(f"{expected}, or one text with spaces between them")
        for word in value:
            if not isinstance(word, str) or not word or not each(word):
                raise Unfit(expected, meant(word) if isinstance(word, str) else None)
        return tuple(dict.fromkeys(value))

    return Check(read, "str | Collection[str]")


@reads("str | Collection[str]")
def scopes(value: object) -> tuple[str, ...]:
    expected = "scopes as RFC 6749 section 3.3 spells them, with spaces between them"
    listed = words(_SCOPE.fullmatch, expected).read(value)
    return listed if "openid" in listed else ("openid", *listed)


@reads("str | Collection[str]")
def algorithms(value: object) -> tuple[str, ...]:
    expected = f"one or more of {' '.join(ALGORITHMS)}"
    listed = words(ALGORITHMS.__contains__, expected).read(value)
    if not listed:
        raise Unfit(expected)
    return listed


@reads("str | Collection[str]")
def allowed_hosts(value: object) -> tuple[str, ...]:
    expected = "lower-case host names, or '.cobot.me' for all hosts below a domain"
    return words(_ALLOWED_HOST.fullmatch, expected).read(value)


@reads("str")
def issuer(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("the issuer's URL, as text")
    return checked_issuer(value, ISSUER_EXPECTED)


@reads("str")
def space_issuer(value: object) -> str:
    expected = "an issuer's URL with {space} as one label of its host, or in its path"
    template = text.read(value)
    if _WELL_KNOWN in template:
        raise Unfit(expected, f"did you mean {template.partition(_WELL_KNOWN)[0]}?")
    if template.count("{space}") != 1 or not _SPACE_ISSUER.fullmatch(template):
        raise Unfit(expected)
    checked_issuer(template.replace("{space}", "space"), expected)
    return template


@reads("str | Collection[str] | Callable[[], Collection[str]] | Callable[[str], bool]")
def spaces(value: object) -> Spaces:
    expected = "a list of subdomains, lower-case DNS labels such as 'co-up', a callable, or '*' for every name"
    if value is None:
        return frozenset()
    if value == "*":
        return "*"
    if callable(value):
        return _asked(value, expected)
    return frozenset(words(is_space_name, expected, _meant_space).read(value))


@reads("str | Collection[str]")
def blueprints(value: object) -> frozenset[str]:
    return frozenset(words(expected="a list of blueprints' names").read(value))


@reads("str")
def redirect_uri(value: object) -> str:
    uri = text.read(value)
    try:
        url = urlsplit(uri)
        secure = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))
    except ValueError:
        raise Unfit("an absolute URL") from None
    secure = secure and uri.startswith(f"{url.scheme}://")  # cookies are marked according to its spelling
    if not secure or not url.hostname or url.username is not None or url.query or "#" in uri:
        raise Unfit("an absolute https URL without query or fragment (http only on localhost)")
    return uri


@reads("str")
def base_url(value: object) -> str:
    url = split_url(text.read(value))
    if url is None or url.query or url.path.endswith("/"):
        raise Unfit("an absolute https URL without query, fragment or slash at its end (http only on localhost)")
    return url.geturl()


@reads("str")
def limit(value: object) -> str:
    if not isinstance(value, str) or not _LIMIT.fullmatch(value):
        raise Unfit("a limit such as '60 per minute'")
    return value


@reads("str")
def url_prefix(value: object) -> str:
    if not isinstance(value, str) or not _URL_PREFIX.fullmatch(value):
        raise Unfit("a path such as '/cobot', without a slash at its end")
    return value


@reads("str")
def destination(value: object) -> str:
    """A path, or the name of an endpoint. Endpoints are only known later."""
    place, expected = text.read(value), "a path on this app, such as '/', or the name of an endpoint"
    if "://" in place:
        raise Unfit(expected, "write the path alone; a page elsewhere needs a view of yours that redirects there")
    if place.startswith("/") and safe_next(place) is None:
        raise Unfit(expected)
    return place


@reads("str | Callable[[User], str] | None")
def after_login(value: object) -> str | Callable[[User], str]:
    """A destination, or a function that is called at each login; what it returns is checked then."""
    if callable(value):
        return value
    return "/" if value is None else destination.read(value)


@reads("Callable[[], object]")
def function(value: object) -> Callable[[], object]:
    """A function without arguments that is called in a request."""
    if not callable(value):
        raise Unfit("a function without arguments, such as Flask-Babel's get_locale")
    return value


@reads("str")
def redis_url(value: object) -> str:
    url = text.read(value)
    try:
        from redis import ConnectionPool

        ConnectionPool.from_url(url).make_connection()  # does not connect yet
    except ImportError:
        raise Unfit("the redis package to be installed: pip install 'cobot-oidc[redis]'") from None
    except (TypeError, ValueError):
        raise Unfit("a URL such as redis://localhost:6379/0, rediss://… or unix:///…") from None
    return url


@reads("bool | Literal['signed']".replace("'", '"'))
def userinfo(value: object) -> bool | Literal["signed"]:
    if value == "signed":
        return "signed"
    if not isinstance(value, bool):
        raise Unfit('True, False or "signed"; in the environment, true, false or signed')
    return value


@reads("Mapping[str, str]")
def proxies(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise Unfit("a dictionary of URL scheme to proxy URL, such as {'https': 'http://proxy:3128'}")
    return value


@reads("str")
def ca_bundle(value: object) -> str:
    path = text.read(value)
    if not Path(path).is_file():
        raise Unfit("the path of a file of certificates in PEM format")
    return path


def _asked(spaces: Callable[..., Any], expected: str) -> Callable[[str], bool]:
    """The app's own function, as a function that tells whether one space is served."""
    try:
        takes_space = bool(inspect.signature(spaces).parameters)
    except (TypeError, ValueError):
        raise Unfit(expected) from None
    if takes_space:
        return lambda space: bool(spaces(space))

    def is_listed(space: str) -> bool:
        listed = spaces()
        return space in (listed.split() if isinstance(listed, str) else listed)  # not a substring of a name

    return is_listed


def checked_issuer(value: object, expected: str) -> str:
    """The issuer, if the value can be one; otherwise this is expected, and perhaps another one was meant."""
    if isinstance(value, str) and _WELL_KNOWN in value:
        raise Unfit(f"{expected}; not the URL of the document below it", _meant_issuer(value))
    try:
        return check_issuer(value)
    except ConfigurationError:
        raise Unfit(expected, _meant_issuer(value)) from None


def _meant_space(word: str) -> str | None:
    """The space that was probably meant by its host or URL, or by a name with capitals."""
    label = word.lower().rpartition("//")[2].partition(".")[0]
    return f"did you mean {label}?" if is_space_name(label) else None


def _meant_issuer(value: object) -> str | None:
    """The issuer that an invalid value was probably meant to be."""
    if not isinstance(value, str):
        return None
    meant = re.split(f"{re.escape(_WELL_KNOWN)}|[?#]", value.strip())[0]
    meant = meant.replace("http://", "https://") if "://" in meant else f"https://{meant}"
    try:
        return f"did you mean {check_issuer(meant)}?"
    except ConfigurationError:
        return None
