"""The one reader of JSON that comes from outside: RFC 8259, narrowed to what has one meaning everywhere (RFC 7493).

Every other room reads documents, headers and claims through ``loads``. It never repairs, and it never raises anything
but ``JSONError``: no ``RecursionError``, none of Python's own errors about long numbers.
"""

import json
import math
import re
from typing import NoReturn

LARGEST = 256 * 1024  # bytes
DEEPEST = 32  # arrays and objects inside each other
LARGEST_INTEGER = 2**53  # beyond it readers disagree (RFC 7493 section 2.2)

_LONGEST_NUMBER = 400  # characters: more digits than any double needs
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


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
    :param largest: how many bytes it may have.
    :returns: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or ``None``. Names are unique in each object,
        integers within ±2^53, other numbers finite, and every string can be written as UTF-8.
    :raises JSONError: for everything else.
    """
    if len(data) > largest:
        raise JSONError("too_large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JSONError("encoding") from error
    if text.startswith("\ufeff"):
        raise JSONError("encoding")
    # Fewer brackets than levels is the common case, and cannot be too deep.
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise JSONError("too_deep")
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JSONError("syntax") from error
    if "\\u" in text:
        _refuse_lone_surrogates(value)
    return value


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
    if len(members) != len(pairs):  # security.md J16: parsers disagree on which one counts
        raise JSONError("duplicate_name")
    return members


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(number := int(digits)) > LARGEST_INTEGER:
        raise JSONError("number")
    return number


def _real(digits: str) -> float:
    number = float(digits) if len(digits) <= _LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise JSONError("number")
    return number


def _constant(_name: str) -> NoReturn:
    raise JSONError("number")  # NaN and Infinity are Python's additions


def _refuse_lone_surrogates(value: object) -> None:
    """Half a character cannot be stored, shown or compared anywhere (security.md S15)."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise JSONError("surrogate") from error


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant)
