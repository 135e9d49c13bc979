"""The small coworking world behind the API: what each space has, and what is booked there.

Members are those of ``people.py``, as they are at the moment; ``furnishing.py`` makes the rest when a space is first
asked for.
"""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from .people import Membership, Person


@dataclass(frozen=True, slots=True)
class Plan:
    """What members pay; ``price`` is for a month, before taxes."""

    id: str
    space: str
    name: str
    price: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A room or a desk that can be booked; ``price`` is for an hour, before taxes."""

    id: str
    space: str
    name: str
    capacity: int
    price: str


@dataclass(frozen=True, slots=True)
class Booking:
    """A resource that is taken for some time; without a membership, by an admin for somebody else."""

    id: str
    space: str
    resource_id: str
    membership_id: str | None
    title: str | None
    start: datetime
    end: datetime

    def overlaps(self, other: "Booking") -> bool:
        """Whether both need the same resource at the same time."""
        return self.resource_id == other.resource_id and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a member has to pay for a month."""

    id: str
    space: str
    membership_id: str
    number: str
    issued: date
    due: date
    paid: bool
    net: str
    gross: str


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A member's visit."""

    id: str
    space: str
    membership_id: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person's membership in a space."""

    space: str
    person: Person
    membership: Membership
    plan: Plan

    @property
    def id(self) -> str:
        """The membership's id."""
        return self.membership.id


@dataclass(slots=True)
class Contents:
    """What one space has, each by its id."""

    plans: dict[str, Plan] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    bookings: dict[str, Booking] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    check_ins: dict[str, CheckIn] = field(default_factory=dict)


Furnish = Callable[[str, list[Membership], date], Contents]


class World:
    """All spaces. This class is thread-safe.

    :ivar pictures: the pictures that were uploaded, by the membership's id.
    """

    def __init__(self, people: Mapping[str, Person], clock: Callable[[], float], furnish: Furnish) -> None:
        self._people, self._clock, self._furnish = people, clock, furnish
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget all changes."""
        with self._lock:
            self._spaces: dict[str, Contents] = {}
            self._numbers = itertools.count(1)
            self.pictures: dict[str, bytes] = {}

    @property
    def now(self) -> datetime:
        """The time here, in UTC."""
        return datetime.fromtimestamp(int(self._clock()), UTC)

    def of(self, space: str) -> Contents:
        """What a space has."""
        with self._lock:
            if space not in self._spaces:
                memberships = [
                    person.memberships[space] for person in self._people.values() if space in person.memberships
                ]
                self._spaces[space] = self._furnish(space, memberships, self.now.date())
            return self._spaces[space]

    def members(self, space: str) -> dict[str, Member]:
        """The members of a space, by their membership's id."""
        plans = list(self.of(space).plans.values())
        return {
            membership.id: Member(space, person, membership, plans[sum(membership.id.encode()) % len(plans)])
            for person in list(self._people.values())
            for membership in [person.memberships.get(space)]
            if membership is not None
        }

    def bookings(self, space: str, start: datetime | None = None, end: datetime | None = None) -> list[Booking]:
        """The bookings of a space that are at least partly between two times, the earliest first."""
        found = [
            booking
            for booking in list(self.of(space).bookings.values())
            if (start is None or booking.end > start) and (end is None or booking.start < end)
        ]
        return sorted(found, key=lambda booking: (booking.start, booking.id))

    def keep(self, booking: Booking) -> bool:
        """Add a booking, or change the one with its id; ``False`` if it overlaps with another."""
        with self._lock:
            bookings = self.of(booking.space).bookings
            if any(other.overlaps(booking) for other in bookings.values() if other.id != booking.id):
                return False
            bookings[booking.id] = booking
            return True

    def cancel(self, booking: Booking) -> None:
        """Remove a booking."""
        with self._lock:
            self.of(booking.space).bookings.pop(booking.id, None)

    def check_in(self, space: str, membership_id: str) -> CheckIn:
        """Check a member in, until the end of the day."""
        now = self.now
        tomorrow = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        check_in = CheckIn(self.new_id("check-in", space), space, membership_id, now, tomorrow)
        with self._lock:
            self.of(space).check_ins[check_in.id] = check_in
        return check_in

    def add_bookings(self, space: str, membership_id: str | None, count: int) -> list[Booking]:
        """Add bookings of an hour each, one after the other, after all others of the space."""
        with self._lock:
            contents = self.of(space)
            last = max((booking.end for booking in contents.bookings.values()), default=self.now)
            first = last.replace(minute=0, second=0) + timedelta(hours=1)
            added = list(self._in_a_row(space, membership_id, first, list(contents.resources), count))
            contents.bookings.update((booking.id, booking) for booking in added)
            return added

    def new_id(self, kind: str, space: str) -> str:
        """An id that nothing else has."""
        return f"{kind}-{space}-n{next(self._numbers)}"

    def _in_a_row(
        self, space: str, membership_id: str | None, first: datetime, resources: list[str], count: int
    ) -> Iterator[Booking]:
        for number in range(count):
            round_, place = divmod(number, len(resources))
            start = first + timedelta(hours=round_)
            title = f"Booking {number + 1}"
            booking_id = self.new_id("booking", space)
            yield Booking(booking_id, space, resources[place], membership_id, title, start, start + timedelta(hours=1))
