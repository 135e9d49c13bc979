"""The pages of one space: today, my bookings and invoices, checking in, the people, and my profile there."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cobot_oidc import APIError, admin_required, login_required, membership_required, requires_scope

from . import bookings as booked
from . import check_ins, invoices, places
from .extensions import oidc

T = TypeVar("T")

AT_A_TIME = 10  # bookings
LAST_PAGE = 1000
FOR_THE_PERSON = (401, 403)  # log in again, or see why not: a page about the error says more than a card could

pages = Blueprint("space", __name__, url_prefix="/<space>")


@pages.get("/")
@membership_required
def home(space: str) -> str:
    now = booked.now_at(space)
    return render_template(
        "home.html",
        now=now,
        bookings=_unless_it_fails(lambda: list(islice(booked.mine(space, now), 3))),
        visit=_unless_it_fails(lambda: {"until": check_ins.checked_in_until(now)}),
        invoices=_unless_it_fails(invoices.mine),
    )


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


@pages.get("/invoices")
@membership_required
def my_invoices(space: str) -> str:
    return render_template("invoices.html", invoices=invoices.mine(), today=booked.now_at(space).date())


@pages.get("/invoices/<invoice_id>.pdf")
@membership_required
def invoice(space: str, invoice_id: str) -> Response:
    del space  # the extension reads it from the rule
    response = Response(invoices.pdf(invoice_id), mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"{invoice_id}.pdf")
    return response


@pages.get("/check-in")
@membership_required
@requires_scope("write_check_ins")  # Cobot asks for it here, when it is first needed
def check_in(space: str) -> str:
    now = booked.now_at(space)
    return render_template("check_in.html", now=now, until=check_ins.checked_in_until(now))


@pages.post("/check-in")
@membership_required
@requires_scope("write_check_ins")
def check_in_now(space: str) -> Response:
    if check_ins.checked_in_until(booked.now_at(space)) is None:  # a second click changes nothing
        check_ins.check_in()
    return redirect(url_for("space.check_in", space=space), 303)


@pages.get("/people")
@admin_required
@requires_scope("read_memberships")
def people(space: str) -> str:
    del space
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


def _unless_it_fails(ask: Callable[[], T]) -> T | None:
    """What Cobot says for one card; ``None`` if it says nothing just now, which is no reason to lose the others."""
    try:
        return ask()
    except APIError as error:
        if error.status in FOR_THE_PERSON:
            raise
        return None
