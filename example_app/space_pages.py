"""The pages of one space: today, my bookings, the people, and my profile there."""

from itertools import islice

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from cobot_oidc import admin_required, login_required, membership_required, requires_scope

from . import bookings as booked
from . import places
from .extensions import oidc

AT_A_TIME = 10  # bookings
LAST_PAGE = 1000

pages = Blueprint("space", __name__, url_prefix="/<space>")


@pages.get("/")
@membership_required
def home(space: str) -> str:
    now = booked.now_at(space)
    return render_template("home.html", bookings=list(islice(booked.mine(space, now), 3)), now=now)


@pages.get("/bookings")
@membership_required
def bookings(space: str) -> str:
    page = min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)
    now = booked.now_at(space)
    # From midnight: if a booking left the list between two pages, the next page would skip one.
    found = booked.mine(space, now.replace(hour=0, minute=0, second=0))
    first = (page - 1) * AT_A_TIME
    shown = list(islice(found, first, first + AT_A_TIME + 1))
    # A script asks for the next piece of the list, everybody else for a page.
    wanted = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    return render_template(
        "bookings_piece.html" if wanted else "bookings.html",
        bookings=shown[:AT_A_TIME],
        has_more=len(shown) > AT_A_TIME,
        page=page,
        now=now,
    )


@pages.get("/people")
@admin_required
@requires_scope("read_memberships")  # Cobot asks for it here, when it is first needed
def people(space: str) -> str:
    del space  # the extension reads it from the rule
    memberships = sorted(oidc.api.get("/api/memberships"), key=lambda each: (each.get("name") or "").casefold())
    return render_template("people.html", memberships=memberships)


@pages.get("/profile")
@login_required
def profile(space: str) -> str:
    del space
    return render_template("space_profile.html")


@pages.after_request
def remember_standing(response: Response) -> Response:
    if response.status_code in (200, 403):  # with any other, Cobot may not have said anything
        places.remember()
    return response
