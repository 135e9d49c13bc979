"""What somebody enters to book something: what is asked for, whether it makes sense, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from flask_babel import gettext

from cobot_oidc import APIError

from .bookings import Resource, Span
from .languages import clock

LONGEST_TITLE = 100  # characters
FURTHEST = 366  # days ahead

Errors = dict[str, str]  # what is wrong, in words, by the field's name; "" stands for the form as a whole


@dataclass(frozen=True, slots=True)
class Form:
    """The fields as somebody sent them, to be shown again."""

    resource: str
    day: str
    start: str
    end: str
    title: str

    @classmethod
    def suggested(cls, now: datetime, resource: str = "", day: str = "") -> "Form":
        """The next full hour; on another day, the first one of the morning.

        :param now: on the clocks of the space.
        """
        start = now.replace(minute=0, second=0) + timedelta(hours=1)
        if day and (wanted := bookable_day(day, now)) != now.date():
            start = datetime.combine(wanted, time(9))
        end = start + timedelta(hours=1)
        if end.date() != start.date():
            start = datetime.combine(end.date(), time(9))
            end = start + timedelta(hours=1)
        return cls(resource, start.date().isoformat(), f"{start:%H:%M}", f"{end:%H:%M}", "")

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> "Form":
        """What a form brought."""
        names = ("resource", "day", "start", "end", "title")
        return cls(*(sent.get(name, "").strip() for name in names))

    def checked(self, resources: Sequence[Resource], now: datetime) -> tuple[Span | None, Errors]:
        """When this is to be, or what is wrong with it.

        :param now: with the time zone that the times are meant in.
        """
        day, start, end = day_of(self.day), _time(self.start), _time(self.end)
        errors: Errors = {}
        if not any(each.id == self.resource for each in resources):
            errors["resource"] = gettext("Please choose what you want to book.")
        if day is None:
            errors["day"] = gettext("Please enter a day.")
        elif day < now.date():
            errors["day"] = gettext("This day is over.")
        elif day > now.date() + timedelta(days=FURTHEST):
            errors["day"] = gettext("This day is too far ahead.")
        if start is None:
            errors["start"] = gettext("Please enter when it begins.")
        if end is None:
            errors["end"] = gettext("Please enter when it ends.")
        if len(self.title) > LONGEST_TITLE:
            errors["title"] = gettext("Please use at most %(number)s letters.", number=LONGEST_TITLE)
        if day is None or start is None or end is None:
            return None, errors
        span = _span(day, start, end, now.tzinfo)
        # Not by the clocks of the space: when they are put forward, half past two comes after three.
        if span.end.timestamp() <= span.start.timestamp():
            errors["end"] = gettext("The end has to be after the beginning.")
        elif "day" not in errors and span.start < now:
            errors["start"] = gettext("This time is over. It is %(time)s now.", time=clock(now))
        return (None if errors else span), errors


def day_of(text: str | None) -> date | None:
    """The day that a field names, if it names one."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def bookable_day(text: str | None, now: datetime) -> date:
    """The day that a field names, or today if nothing can be booked then."""
    day = day_of(text)
    return day if day is not None and 0 <= (day - now.date()).days <= FURTHEST else now.date()


def conflict(span: Span, taken: Sequence[Span]) -> Errors:
    """What to say if something is taken already at that time; nothing if it is not."""
    for other in taken:
        if span.overlaps(other):
            times = {"start": clock(other.start), "end": clock(other.end)}
            return {"start": gettext("It is taken from %(start)s to %(end)s. Please choose another time.", **times)}
    return {}


def refused(error: APIError) -> Errors:
    """What to say if Cobot does not book it."""
    if error.code == "rate_limited":
        seconds = round(error.retry_after_seconds or 60)
        return {"": gettext("Nothing was booked: Cobot wants you to wait for %(seconds)s seconds.", seconds=seconds)}
    if error.code == "request_invalid":  # Cobot's own words say more than we know, in whichever language they are
        return {"": gettext("Cobot does not accept this booking: %(reason)s", reason=error.message)}
    # It was sent once, and nobody knows what became of it.
    return {"": gettext("Cobot does not answer at the moment. Please look at your bookings before you try again.")}


def _time(text: str) -> time | None:
    try:
        read = time.fromisoformat(text)
    except ValueError:
        return None
    return read.replace(tzinfo=None, second=0, microsecond=0)


def _span(day: date, start: time, end: time, zone: tzinfo | None) -> Span:
    return Span(datetime.combine(day, start, zone), datetime.combine(day, end, zone))
