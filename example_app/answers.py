"""Times, days and amounts in the answers of Cobot's API: one that cannot be read is the API's failure, not a crash."""

import re
from datetime import MAXYEAR, MINYEAR, date, datetime, tzinfo
from decimal import Decimal, DecimalException

from cobot_oidc import APIError

LARGEST_AMOUNT = 10**12


def moment(value: object, zone: tzinfo | None) -> datetime:
    """A time such as ``2026-11-27T09:00:00+01:00``, on the clocks of a time zone.

    :raises APIError: ``answer_unusable``; also in the first and last year there is, as nothing could be reckoned there.
    """
    try:
        read = datetime.fromisoformat(value if isinstance(value, str) else "")
        there = read.astimezone(zone)
    except (ValueError, OverflowError):
        raise _unusable("a time", value) from None
    if read.tzinfo is None or not MINYEAR < there.year < MAXYEAR:
        raise _unusable("a time", value)
    return there


def day(value: object) -> date:
    """A day such as ``2026-11-27``.

    :raises APIError: ``answer_unusable``.
    """
    try:
        read = date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise _unusable("a day", value) from None
    if not MINYEAR < read.year < MAXYEAR:
        raise _unusable("a day", value)
    return read


def amount(value: object) -> Decimal:
    """An amount of money, which the API sends as text or as a number.

    :raises APIError: ``answer_unusable``.
    """
    try:
        read = Decimal(str(value))
        is_one = abs(read) < LARGEST_AMOUNT  # raises for NaN
    except (DecimalException, ValueError):
        raise _unusable("an amount", value) from None
    if not is_one:
        raise _unusable("an amount", value)
    return read


def currency(value: object) -> str:
    """A currency such as ``EUR`` (ISO 4217).

    :raises APIError: ``answer_unusable``.
    """
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise _unusable("a currency", value)
    return value


def _unusable(expected: str, got: object) -> APIError:
    return APIError("answer_unusable", expected=expected, got=str(got)[:100])
