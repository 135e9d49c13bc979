"""The only reader of JSON from outside: RFC 8259, restricted to what means the same everywhere (RFC 7493).

Every other module reads documents, headers and claims with ``loads``. It never repairs anything, and only raises
``JSONError``: no ``RecursionError``, and none of Python's own errors about long numbers.
"""

import json
import math
import re
from typing import NoReturn

LARGEST = 256 * 1024  # bytes
DEEPEST = 32  # arrays and objects inside each other
LARGEST_INTEGER = 2**53  # beyond it, readers disagree (RFC 7493 section 2.2)

_SAFE_DIGITS = 15  # characters that cannot make a larger integer
_MOST_DIGITS = 17  # characters of -2^53: longer integers are too large, and need not be parsed
_LONGEST_NUMBER = 400  # characters: no double needs more
_BYTE_ORDER_MARK = "\ufeff"
_WHITESPACE = " \t\n\r"
# Possessive, and an unterminated string matches as a whole, so that matching is linear for every text.
_NOT_BRACKETS = bytes(set(range(256)).difference(b"[]{}"))
_AS_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NESTING = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


class JSONError(ValueError):
    """The bytes are not strict JSON.

    :ivar reason: ``too_large``, ``encoding``, ``syntax``, ``duplicate_name``, ``too_deep``, ``number`` or
        ``surrogate``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def loads(data: bytes, *, largest: int = LARGEST) -> object:
    """Read one JSON text.

    :param data: UTF-8 without a byte order mark.
    :param largest: the maximum number of bytes.
    :returns: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or ``None``. Names are unique in each object,
        integers within ±2^53, other numbers finite, and every string can be written as UTF-8.
    :raises JSONError: for everything else.
    """
    if len(data) > largest:
        raise JSONError("too_large")
    # Nothing is raised while one of Python's own errors is handled: ours would contain it as its context, and so the
    # text, which may hold tokens (L02).
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _BYTE_ORDER_MARK
    if text.startswith(_BYTE_ORDER_MARK):
        raise JSONError("encoding")
    # Usually there are fewer brackets than allowed levels, and the text cannot be too deep.
    if text.count("{") + text.count("[") > DEEPEST and not _is_surely_flat(data) and _depth(text) > DEEPEST:
        raise JSONError("too_deep")
    text = text.strip(_WHITESPACE)
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        value, end = None, -1
    if end != len(text):
        raise JSONError("syntax")
    if "\\u" in text and not _is_encodable(value):
        raise JSONError("surrogate")
    return value


def _is_surely_flat(data: bytes) -> bool:
    """Whether the brackets outside of strings vanish in pairs, from the inside outwards, one level at a time.

    A page of the API is too long to be looked through by ``_depth``, which is exact, but eight times as slow.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(data.split(b'"')[::2]).translate(_AS_ONE_KIND, _NOT_BRACKETS)
    for _ in range(DEEPEST):
        outside = outside.replace(b"[]", b"")
        if not outside:
            return True
    return False


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _NESTING.finditer(text):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):  # J16: parsers disagree about which one applies
        raise JSONError("duplicate_name")
    return members


def _integer(digits: str) -> int:
    if len(digits) <= _SAFE_DIGITS:
        return int(digits)
    if len(digits) > _MOST_DIGITS or abs(number := int(digits)) > LARGEST_INTEGER:
        raise JSONError("number")
    return number


def _real(digits: str) -> float:
    number = float(digits) if len(digits) <= _LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise JSONError("number")
    return number


def _constant(_name: str) -> NoReturn:
    raise JSONError("number")  # NaN and Infinity are Python's additions


def _is_encodable(value: object) -> bool:
    """Whether no text contains a lone surrogate, which cannot be stored, shown or compared (S15)."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant)
