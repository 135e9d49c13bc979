"""The pages of one space: today, my bookings and new ones, invoices, checking in, the people, and my profile there."""

from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from cobot_oidc import APIError, admin_required, login_required, membership_required, requires_scope

from . import bookings as booked
from . import check_ins, invoices, places
from .addresses import url_in_space
from .booking_form import Errors, Form, bookable_day, conflict, refused
from .extensions import oidc
from .languages import clock, day

T = TypeVar("T")

AT_A_TIME = 10  # bookings
LAST_PAGE = 1000
FOR_THE_PERSON = (401, 403)  # log in again, or see why not: a page about the error says more than a card could

pages = Blueprint("space", __name__)  # addresses.py says where


@pages.get("/")
@membership_required
def home(space: str) -> str:
    now = booked.now_at(space)
    charged = _unless_it_fails(invoices.mine)
    return render_template(
        "home.html",
        now=now,
        bookings=_unless_it_fails(lambda: list(islice(booked.mine(space, now), 3))),
        visit=_unless_it_fails(lambda: {"until": check_ins.checked_in_until(now)}),
        invoices=charged,
        overdue=sum(each.is_overdue(now.date()) for each in charged or ()),
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


@pages.get("/bookings/new")
@membership_required
@requires_scope("write_bookings")  # Cobot asks for it here, when it is first needed
def book(space: str) -> str:
    now = booked.now_at(space)
    wanted = request.args.get("day", "")
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":  # a script asks when things are taken
        shown = _taken(space, bookable_day(wanted, now))
        return render_template("taken.html", resources=booked.resources(space), now=now, **shown)
    return _form(space, Form.suggested(now, request.args.get("resource", ""), wanted))


@pages.post("/bookings/new")
@membership_required
@requires_scope("write_bookings")
def book_now(space: str) -> str | Response:
    form, now, resources = Form.of(request.form), booked.now_at(space), booked.resources(space)
    span, errors = form.checked(resources, now)
    if span is None:
        return _form(space, form, errors, resources)
    try:
        booking_id = booked.book(form.resource, span, form.title or None)
    except APIError as error:
        if error.status in FOR_THE_PERSON:
            raise
        known = {} if error.code != "request_invalid" else _unless_it_fails(partial(_conflict, space, form, span))
        return _form(space, form, known or refused(error), resources)
    name = next(each.name for each in resources if each.id == form.resource)
    when = f"{day(span.start, now)}, {clock(span.start)}–{clock(span.end)}"
    flash(gettext("You have booked %(resource)s: %(time)s.", resource=name, time=when))
    return redirect(url_in_space("booking", space, booking_id=booking_id), 303)


@pages.get("/bookings/<id:booking_id>")
@membership_required
def booking(space: str, booking_id: str) -> str:
    return render_template("booked.html", booking=booked.my_booking(space, booking_id), now=booked.now_at(space))


@pages.get("/bookings/<id:booking_id>/cancel")
@membership_required
@requires_scope("write_bookings")
def cancel(space: str, booking_id: str) -> str:
    return render_template("cancel.html", booking=booked.my_booking(space, booking_id), now=booked.now_at(space))


@pages.post("/bookings/<id:booking_id>/cancel")
@membership_required
@requires_scope("write_bookings")
def cancel_now(space: str, booking_id: str) -> Response:
    cancelled = booked.my_booking(space, booking_id)
    booked.cancel(booking_id)
    flash(gettext("Your booking of %(resource)s is cancelled.", resource=cancelled.resource or gettext("Booking")))
    return redirect(url_in_space("bookings", space), 303)


@pages.get("/invoices")
@membership_required
def my_invoices(space: str) -> str:
    return render_template("invoices.html", invoices=invoices.mine(), today=booked.now_at(space).date())


@pages.get("/invoices/<id:invoice_id>.pdf")
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
    return redirect(url_in_space("check_in", space), 303)


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


def _form(space: str, form: Form, errors: Errors | None = None, resources: list[booked.Resource] | None = None) -> str:
    now = booked.now_at(space)
    if resources is None:
        resources = booked.resources(space)
    shown = _unless_it_fails(lambda: _taken(space, bookable_day(form.day, now))) or {"taken": None, "day": None}
    return render_template("book.html", form=form, errors=errors or {}, resources=resources, now=now, **shown)


def _taken(space: str, wanted: date) -> dict[str, Any]:
    return {"taken": booked.taken(space, wanted), "day": wanted}


def _conflict(space: str, form: Form, span: booked.Span) -> Errors:
    return conflict(span, booked.taken(space, span.start.date()).get(form.resource, []))


def _unless_it_fails(ask: Callable[[], T]) -> T | None:
    """What Cobot says for one card; ``None`` if it says nothing just now, which is no reason to lose the others."""
    try:
        return ask()
    except APIError as error:
        if error.status in FOR_THE_PERSON:
            raise
        return None
