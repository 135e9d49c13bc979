"""What a space has at first: the same plans and rooms everywhere, and some weeks of its members' lives around today."""

from datetime import UTC, date, datetime, time, timedelta

from .people import Membership
from .world import Booking, CheckIn, Contents, Invoice, Plan, Resource

PLANS = [("Flex Desk", "100.0"), ("Fixed Desk", "200.0"), ("Team Office", "500.0")]
ROOMS = [("Meeting Room", 8, "20.0"), ("Workshop", 20, "40.0"), ("Phone Booth", 1, "5.0"), ("Day Desk", 1, "3.0")]
TITLES = ["Team meeting", "Interview", "Yoga", "Board meeting", "Workshop", "Call", "Planning"]
BOOKINGS = 15
TAXES = 1.19


def furnished(space: str, memberships: list[Membership], today: date) -> Contents:
    """The contents of a space on its first day in the stand-in; always the same for the same arguments."""
    plans = [Plan(f"plan-{space}-{number}", space, *plan) for number, plan in enumerate(PLANS, 1)]
    resources = [Resource(f"resource-{space}-{number}", space, *room) for number, room in enumerate(ROOMS, 1)]
    invoices = [invoice for membership in memberships for invoice in _invoices(space, membership, today)]
    check_ins = [check_in for membership in memberships for check_in in _check_ins(space, membership, today)]
    bookings = [_booking(space, number, resources, memberships, today) for number in range(BOOKINGS)]
    return Contents(
        plans={plan.id: plan for plan in plans},
        resources={resource.id: resource for resource in resources},
        bookings={booking.id: booking for booking in bookings},
        invoices={invoice.id: invoice for invoice in invoices},
        check_ins={check_in.id: check_in for check_in in check_ins},
    )


def _booking(space: str, number: int, resources: list[Resource], memberships: list[Membership], today: date) -> Booking:
    """Three a day on five days, at different hours, so that none overlaps; each seventh is an admin's for a visitor."""
    start = _at(today + timedelta(days=number % 5 - 2), 8 + number // 5 * 3)
    visitor = not memberships or number % 7 == 6
    return Booking(
        id=f"booking-{space}-{number + 1}",
        space=space,
        resource_id=resources[number % len(resources)].id,
        membership_id=None if visitor else memberships[number % len(memberships)].id,
        title=TITLES[number % len(TITLES)],
        start=start,
        end=start + timedelta(hours=1 + number % 2),
    )


def _invoices(space: str, membership: Membership, today: date) -> list[Invoice]:
    """Those of this month and of the two before; only the newest is not paid yet."""
    first_days = [today.replace(day=1)]
    while len(first_days) < 3:
        first_days.append((first_days[-1] - timedelta(days=1)).replace(day=1))
    net = float(PLANS[sum(membership.id.encode()) % len(PLANS)][1])  # the plan that ``World.members`` gives them
    return [
        Invoice(
            id=f"invoice-{membership.id}-{day:%Y-%m}",
            space=space,
            membership_id=membership.id,
            number=f"{day:%Y%m}-{membership.id}",
            issued=day,
            due=day + timedelta(days=14),
            paid=day != first_days[0],
            net=f"{net:.2f}",
            gross=f"{net * TAXES:.2f}",
        )
        for day in first_days
    ]


def _check_ins(space: str, membership: Membership, today: date) -> list[CheckIn]:
    days = [today - timedelta(days=ago) for ago in (1, 3, 5)]
    return [CheckIn(f"check-in-{membership.id}-{day}", space, membership.id, _at(day, 8), _at(day, 18)) for day in days]


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)
