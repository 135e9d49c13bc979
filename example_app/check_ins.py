"""My visits, from Cobot's API: whether I am checked in, and checking in."""

from datetime import datetime

from cobot_oidc import require_user

from .answers import moment
from .extensions import oidc


def checked_in_until(now: datetime) -> datetime | None:
    """Until when the current user is checked in at the request's space; ``None`` if they are not.

    :param now: with the time zone in which the time is wanted.
    """
    membership = require_user().membership
    visits = [
        (moment(visit.get("valid_from"), now.tzinfo), moment(visit.get("valid_until"), now.tzinfo))
        for visit in oidc.api.get("/api/check_ins")
        if membership is not None and (visit.get("membership") or {}).get("id") == membership.id
    ]
    return max((end for start, end in visits if start <= now < end), default=None)


def check_in() -> None:
    """Check the current user in. Needs the scope ``write_check_ins``."""
    membership = require_user().membership
    if membership is not None:
        oidc.api.post("/api/check_ins", {"membership_id": membership.id})
