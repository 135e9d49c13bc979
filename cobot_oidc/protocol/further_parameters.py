"""What an app itself adds to the authorization request, and what of it the answer is held to.

OpenID Connect Core 3.1.2.1 and 5.5 (``acr_values``, ``claims``), RFC 8707 (``resource``). It comes from the app's own
code: a mistake is a ``ConfigurationError``. No stranger's query reaches this module (F21).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError

LONGEST_VALUE = 2048  # characters
MOST_PARAMETERS = 16
# Characters of what a login remembers until its answer: resources, and accepted values. Five such logins, beside all
# else that is in cookies of ours, leave room in the 8 kB of a header that servers read.
MOST_REMEMBERED = 192
LONGEST_MAX_AGE = 10**9  # seconds

# A login makes these itself, they belong to another flow, or they would replace the whole request.
OURS = frozenset(
    (
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "code_verifier", "code", "grant_type", "dpop_jkt"),
        *("request", "request_uri", "registration", "id_token_hint"),
        *("client_secret", "client_assertion", "client_assertion_type"),
    )
)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_VALUE = re.compile(r"[^\x00-\x1f\x7f]+")
_CLAIMS_OF = ("id_token", "userinfo")
# The specification says of these what has to be in the id token if they are essential; of others it says that their
# absence is not an error (Core 5.5.1).
_HELD_TO = ("acr", "auth_time", "sub")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a login remembers of the request until the answer comes.

    :ivar resources: what the access token is for, which the token request repeats (RFC 8707 section 2.2).
    :ivar required: the claims that the id token must have, and their accepted values; no values mean any.
    """

    resources: tuple[str, ...] = ()
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stored(self) -> list[object] | None:
        """For JSON, as short as possible; ``None`` if there is nothing to remember."""
        return [list(self.resources), dict(self.required)] if self.resources or self.required else None

    @classmethod
    def restored(cls, stored: Any) -> "Remembered":
        """What ``stored`` returned."""
        if stored is None:
            return NOTHING
        resources, required = stored
        return cls(tuple(resources), {name: tuple(values) for name, values in required.items()})

    @property
    def length(self) -> int:
        """How many characters it takes."""
        return len(self.written)

    @property
    def written(self) -> str:
        """It as JSON."""
        return json.dumps(self.stored(), separators=(",", ":"))


NOTHING = Remembered()


@dataclass(frozen=True, slots=True)
class FurtherParameters:
    """Parameters for the request, checked.

    :ivar pairs: as they are sent; ``resource`` may be there several times.
    :ivar max_age: in seconds, ``None`` if it is not asked for. It is not among ``pairs``.
    :ivar remembered: what the login needs when the answer comes.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    max_age: int | None = None
    remembered: Remembered = NOTHING

    @classmethod
    def read(cls, given: object) -> "FurtherParameters":
        """Check what the app's function returned.

        :param given: a mapping of names to texts. ``claims`` is a mapping itself, ``resource`` a text or a list of
            them, and ``max_age`` a number of seconds. Those that are ``None`` are left out; so is everything if
            ``given`` is ``None``.
        :raises ConfigurationError: ``authorization_request_invalid``.
        """
        if given is None:
            return cls()
        if not isinstance(given, Mapping) or len(given) > MOST_PARAMETERS:
            raise _invalid("", f"a mapping of at most {MOST_PARAMETERS} parameters", given)
        pairs: list[tuple[str, str]] = []
        max_age: int | None = None
        resources: tuple[str, ...] = ()
        required: Mapping[str, tuple[str, ...]] = {}
        for name, value in given.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise _invalid(name, "a parameter's name: 1 to 64 letters, digits, dots, hyphens and underscores", name)
            if name in OURS:
                raise _invalid(name, "another parameter: every login sets this one itself, or does without it", name)
            if value is None:
                continue
            if name == "max_age":
                max_age = _max_age(value)
            elif name == "resource":
                resources = _resources(value)
                pairs.extend((name, resource) for resource in resources)
            elif name == "claims":
                pairs.append((name, _json(value)))
                required = _required(value)
            else:
                pairs.append((name, _text(name, value)))
        remembered = Remembered(resources, required)
        if remembered.length > MOST_REMEMBERED:
            expected = f"resources and accepted values of {MOST_REMEMBERED} characters in all, as a cookie holds them"
            raise _invalid("resource, claims", expected, remembered.written)
        return cls(tuple(pairs), max_age, remembered)


def _max_age(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LONGEST_MAX_AGE:
        raise _invalid("max_age", "a whole number of seconds", value)
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not _VALUE.fullmatch(value) or len(value) > LONGEST_VALUE:
        raise _invalid(name, f"a text of 1 to {LONGEST_VALUE} characters without control characters", value)
    if name == "prompt" and "none" in value.lower().split():
        raise _invalid(name, "a prompt other than none: its answer would be an error that nobody asked to see", value)
    return value


def _resources(value: object) -> tuple[str, ...]:
    """RFC 8707 section 2: absolute URIs without a fragment."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(map(_is_absolute_uri, listed)):
        raise _invalid("resource", "an absolute URI without a fragment, or a list of them", value)
    return tuple(listed)


def _is_absolute_uri(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value) or "#" in value:
        return False
    try:
        url = urlsplit(value)
    except ValueError:
        return False
    return url.scheme != "" and url.netloc + url.path != ""


def _json(value: object) -> str:
    expected = f"a mapping as in OpenID Connect Core 5.5, of {LONGEST_VALUE} characters as JSON"
    if not isinstance(value, Mapping) or not value or not value.keys() <= set(_CLAIMS_OF):
        raise _invalid("claims", f"{expected}, with the members {' and '.join(_CLAIMS_OF)}", value)
    for requested in value.values():
        if not isinstance(requested, Mapping):
            raise _invalid("claims", expected, value)
        for name, request in requested.items():
            if not isinstance(name, str) or not (request is None or isinstance(request, Mapping)):
                raise _invalid("claims", f"{expected}; each claim is None or a mapping", value)
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        text = ""
    if not 0 < len(text) <= LONGEST_VALUE:
        raise _invalid("claims", expected, value)
    return text


def _required(claims: Mapping[str, Mapping[str, Mapping[str, object] | None]]) -> Mapping[str, tuple[str, ...]]:
    """What of it the id token is held to (Core 5.5.1.1, 3.1.3.7 (12))."""
    return dict(_held_to(claims.get("id_token", {})))


def _held_to(
    requested: Mapping[str, Mapping[str, object] | None],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _HELD_TO:
        request = requested.get(name) or {}
        # A subject is asked for by its value: any other person's token is about somebody else (Core 5.5.1).
        if request.get("essential") is not True and not (name == "sub" and "value" in request):
            continue
        values = [request["value"]] if "value" in request else request.get("values", [])
        if name == "auth_time":
            values = []
        if not isinstance(values, (list, tuple)) or not all(isinstance(each, str) and each for each in values):
            raise _invalid("claims", f"{name} with a value that is a text, or values that are a list of them", values)
        yield name, tuple(values)


def _invalid(parameter: object, expected: str, got: object) -> ConfigurationError:
    """The error says what kind of value came, and not the value itself, which may be about a person."""
    kind = f"{type(got).__name__} of length {len(got)}" if isinstance(got, Sized) else type(got).__name__
    return ConfigurationError("authorization_request_invalid", parameter=parameter, expected=expected, got=kind)
