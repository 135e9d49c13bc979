"""The claims that reach an app: of the expected type, or absent (OIDC Core 5.1, C14, S15).

A verified id token proves who made a statement, not that the statement is fit for a page or a database. The claims
about who and when have been checked before; this module cleans the rest.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import cast
from unicodedata import category, combining, east_asian_width

LONGEST_TEXT = 1000  # characters
LONGEST_EMAIL = 320  # characters (RFC 3696, erratum 1690)

# Control characters, characters that change the direction of the text after them, and invisible ones: they can forge or
# hide text. The invisible ones are Unicode's Default_Ignorable_Code_Point except ``_BESIDE``, and other Cf.
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# These are invisible too, but some scripts need them: they are allowed next to characters that they change.
_JOINERS = "\u200c\u200d"
_BESIDE = re.compile(f"[{_JOINERS}\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # joiners, variation selectors
_VIRAMA = 9  # canonical combining class
# These have already been compared with what was expected, or have a rule of their own.
_CHECKED = frozenset(("iss", "sub", "aud", "azp", "nonce"))
_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")
_HTTPS_URL = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!#-;=?-\[\]_a-z~]*)?"
)
_LOCALE = re.compile(r"[A-Za-z0-9_-]{1,35}")
_ZONEINFO = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}")


class Claims(Mapping[str, object]):
    """What a verified id token says: a read-only mapping with properties for the usual claims.

    Only ``issuer`` and ``subject`` together identify a person (OIDC Core 5.7); the email does not.
    """

    __slots__ = ("_claims",)

    def __init__(self, claims: dict[str, object]) -> None:
        self._claims = claims

    def __getitem__(self, name: str) -> object:
        return self._claims[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)

    def __repr__(self) -> str:
        return f"<Claims of {self.subject!r} at {self.issuer!r}: {', '.join(self._claims)}>"

    @property
    def issuer(self) -> str:
        """The issuer that vouches for these claims."""
        return cast(str, self._claims["iss"])

    @property
    def subject(self) -> str:
        """The issuer's name for the person: 1 to 255 printable ASCII characters."""
        return cast(str, self._claims["sub"])

    @property
    def name(self) -> str | None:
        """The full name."""
        return self._text("name")

    @property
    def email(self) -> str | None:
        """The email address."""
        return self._text("email")

    @property
    def email_verified(self) -> bool:
        """Whether the issuer says that it verified the address: the claim has to be ``true``, not something truthy."""
        return self._claims.get("email_verified") is True

    @property
    def picture(self) -> str | None:
        """An https URL."""
        return self._text("picture")

    @property
    def phone_number(self) -> str | None:
        """A phone number, as free text."""
        return self._text("phone_number")

    def _text(self, name: str) -> str | None:
        return cast("str | None", self._claims.get(name))


def clean_claims(claims: dict[str, object], text: str | None = None) -> Claims:
    """The claims that an app can use as they are. Unusable claims are left out, never repaired.

    :param claims: the members of a verified payload.
    :param text: the JSON that they were read from, if available. If it is short, ASCII, and contains neither an escape
        nor DEL, no text in it can be unfit, so that the parts need not be checked one by one.
    """
    if text is None or not _is_plain(text):
        claims = {name: value for name, value in claims.items() if name in _CHECKED or _is_fit([name, value])}
    unusable = [name for name, value in claims.items() if name in _RULES and not _RULES[name](value)]
    return Claims({name: value for name, value in claims.items() if name not in unusable} if unusable else claims)


def _is_plain(text: str) -> bool:
    return len(text) <= LONGEST_TEXT and text.isascii() and "\\" not in text and "\x7f" not in text


def _is_fit(value: object) -> bool:
    """Whether every text in a JSON value can be shown and stored."""
    if isinstance(value, str):
        return (
            len(value) <= LONGEST_TEXT
            and _UNFIT.search(value) is None
            and all(_has_its_place(value, match.start()) for match in _BESIDE.finditer(value))
        )
    if isinstance(value, list):
        return all(map(_is_fit, value))
    if isinstance(value, dict):
        return all(_is_fit(name) and _is_fit(member) for name, member in value.items())
    return True


def _has_its_place(text: str, place: int) -> bool:
    """Whether an invisible character has an effect in its place; otherwise it only makes two texts look the same.

    A joiner has an effect between two characters that can join (letters of Persian or of Indic scripts, parts of an
    emoji), and after a virama, even at the end of a word, as in Malayalam (RFC 5892 appendices A.1 and A.2, UTS #51). A
    variation selector has an effect after a character of a script without capitals, a digit or a symbol. Neither has
    one in Latin text, at the beginning of a text, or a second time in the same place.
    """
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if not before:
        return False
    if text[place] in _JOINERS:
        return combining(before) == _VIRAMA or (_can_join(before) and _can_join(after))
    return category(before) not in ("Lu", "Ll", "Lt", "Zs") and _BESIDE.match(before) is None


def _can_join(character: str) -> bool:
    """Whether a joiner can join this character: not if its script has capitals, and not if it is CJK."""
    if character < "\u0600":  # the first joining script is Arabic
        return False
    kind = category(character)
    return kind[0] in "MS" or (kind in ("Lo", "Lm") and east_asian_width(character) not in ("W", "F"))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_email(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_EMAIL and _EMAIL.fullmatch(value) is not None


def _is_https_url(value: object) -> bool:
    return isinstance(value, str) and _HTTPS_URL.fullmatch(value) is not None


def _is_locale(value: object) -> bool:
    return isinstance(value, str) and _LOCALE.fullmatch(value) is not None


def _is_zoneinfo(value: object) -> bool:
    return isinstance(value, str) and _ZONEINFO.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


_RULES: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"), _is_text),
    **dict.fromkeys(("gender", "birthdate", "phone_number", "acr", "sid", "jti"), _is_text),
    **dict.fromkeys(("picture", "profile", "website"), _is_https_url),
    **dict.fromkeys(("email_verified", "phone_number_verified"), _is_flag),
    "email": _is_email,
    "locale": _is_locale,
    "zoneinfo": _is_zoneinfo,
    **dict.fromkeys(("updated_at", "auth_time"), _is_number),
    "amr": _is_list_of_text,
    "address": _is_object,
}
