"""What both generations of the API read and write in the same way: times, and which field of a request is wrong."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any


class Invalid(Exception):
    """A request that is understood, but whose fields are not valid: status 422.

    :ivar fields: what is wrong, by field.
    """

    def __init__(self, **fields: str) -> None:
        super().__init__(fields)
        self.fields = fields


def moment(text: Any, field: str) -> datetime:
    """The time that a field names, in ISO 8601 with an offset, as Cobot demands.

    :raises Invalid: if it names none.
    """
    if not text:
        raise Invalid(**{field: "can't be blank"})
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Invalid(**{field: "is not a time"}) from None
    if read.tzinfo is None:
        raise Invalid(**{field: "has no offset from UTC"})
    try:
        return read.astimezone(UTC).replace(microsecond=0)
    except OverflowError:  # in the first or the last hours of the calendar
        raise Invalid(**{field: "is not a time"}) from None


def check(*readers: Callable[[], object]) -> None:
    """Call all of them, and raise what they find to be wrong at once.

    :raises Invalid: with the fields of each.
    """
    wrong: dict[str, str] = {}
    for reader in readers:
        try:
            reader()
        except Invalid as invalid:
            wrong |= invalid.fields
    if wrong:
        raise Invalid(**wrong)


def interval(fields: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The times ``from`` and ``to`` that a list is asked for; each may be missing."""
    start, end = fields.get("from"), fields.get("to")
    return (moment(start, "from") if start else None), (moment(end, "to") if end else None)


def written(time: datetime) -> str:
    """A time as Cobot writes it: in UTC, without fractions."""
    return time.isoformat().replace("+00:00", "Z")
