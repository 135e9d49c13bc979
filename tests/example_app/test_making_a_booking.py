"""Booking something in the portal, and cancelling it, without a browser: what is said, and what Cobot gets."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cobot_oidc.standin import StandIn
from example_app import create_app
from tests.conftest import Visitor

from .conftest import BERLIN
from .test_pages_of_a_space import SECRET, csrf_token

pytestmark = pytest.mark.usefixtures("_one_day")
ROOM, OTHER_ROOM = "resource-co-up-1", "resource-co-up-2"


@pytest.fixture
def cobot_with_free_rooms() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.register_client("portal", secret=SECRET, redirect_uri="http://localhost/cobot/callback", name="Portal")
        stand_in.world.of("co-up").bookings.clear()
        yield stand_in


@pytest.fixture
def app(cobot_with_free_rooms: StandIn) -> Flask:
    return create_app(
        {
            "TESTING": True,
            "SECRET_KEY": "k" * 32,
            "COBOT_OIDC_CLIENT_ID": "portal",
            "COBOT_OIDC_CLIENT_SECRET": SECRET,
            "COBOT_OIDC_ISSUER": cobot_with_free_rooms.issuer,
            "COBOT_OIDC_SPACE_ISSUER": cobot_with_free_rooms.space_issuer_template,
        }
    )


class Member:
    """Somebody who has let the portal book for them, and fills in its form."""

    def __init__(self, app: Flask, cobot: StandIn, person: str = "ada", language: str = "en") -> None:
        self.visitor = Visitor(app, cobot)
        self.language = {"Accept-Language": language}
        self.visitor.log_in("/cobot/login?space=co-up", person)
        self.visitor.log_in("/co-up/bookings/new", person)

    def get(self, path: str) -> TestResponse:
        return self.visitor.get(path, headers=self.language)

    def post(self, path: str, **fields: str) -> TestResponse:
        token = csrf_token(self.get("/co-up/profile").text)
        return self.visitor.browser.post(path, data={"csrf_token": token, **fields}, headers=self.language)

    def book(self, **changes: str) -> TestResponse:
        fields = {"resource": ROOM, "day": tomorrow(), "start": "10:00", "end": "11:30", "title": "Planning"}
        return self.post("/co-up/bookings/new", **(fields | changes))


@pytest.fixture
def ada(app: Flask, cobot_with_free_rooms: StandIn) -> Member:
    return Member(app, cobot_with_free_rooms)


def tomorrow(days: int = 1) -> str:
    return (datetime.now(BERLIN) + timedelta(days=days)).date().isoformat()


def test_the_scope_is_asked_for_when_somebody_first_wants_to_book(app: Flask, cobot_with_free_rooms: StandIn) -> None:
    visitor = Visitor(app, cobot_with_free_rooms)
    visitor.log_in("/cobot/login?space=co-up", "ada")
    authorization_url = visitor.begin("/co-up/bookings/new")
    assert "write_bookings" in authorization_url
    callback = visitor.get(visitor.answer(authorization_url, "ada"))

    assert callback.location == "/co-up/bookings/new"
    assert visitor.get("/co-up/bookings/new").status_code == 200


def test_a_booking_is_made_in_the_time_of_the_space_and_seen(ada: Member, cobot_with_free_rooms: StandIn) -> None:
    made = ada.book()
    [booking] = cobot_with_free_rooms.world.of("co-up").bookings.values()

    assert made.status_code == 303
    assert made.location == f"/co-up/bookings/{booking.id}"
    assert (booking.resource_id, booking.title, booking.membership_id) == (ROOM, "Planning", "m-ada")
    begins = datetime.fromisoformat(f"{tomorrow()}T10:00").replace(tzinfo=BERLIN)
    assert (booking.start, booking.end) == (begins, begins + timedelta(minutes=90))
    page = ada.get(made.location).text
    assert "You have booked Meeting Room: Tomorrow, 10:00–11:30." in page
    assert "<title>You have booked" in page  # what a screen reader says first
    assert "You have booked" not in ada.get(made.location).text  # once
    assert "Planning" in ada.get("/co-up/bookings").text


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"resource": ""}, "resource-1", "Please choose what you want to book."),
        ({"resource": "resource-betahaus-1"}, "resource-1", "Please choose what you want to book."),
        ({"day": ""}, "day", "Please enter a day."),
        ({"day": "2026-02-30"}, "day", "Please enter a day."),
        ({"day": "2020-01-01"}, "day", "This day is over."),
        ({"day": "9999-12-31"}, "day", "This day is too far ahead."),
        ({"start": ""}, "start", "Please enter when it begins."),
        ({"start": "25:00"}, "start", "Please enter when it begins."),
        ({"end": "x"}, "end", "Please enter when it ends."),
        ({"end": "10:00"}, "end", "The end has to be after the beginning."),
        ({"title": "x" * 101}, "title", "Please use at most 100 letters."),
    ],
)
def test_what_is_wrong_is_said_at_the_top_and_at_the_field(
    ada: Member, cobot_with_free_rooms: StandIn, changes: dict[str, str], field: str, words: str
) -> None:
    page = ada.book(**changes).text

    assert f'<a href="#{field}">{words}</a>' in page
    assert f'<p class="wrong" id="{field.removesuffix("-1")}-error">{words}</p>' in page
    assert "<title>That did not work yet: " in page
    assert 'value="Planning"' in page or "title" in changes  # what was entered is not lost
    assert cobot_with_free_rooms.world.of("co-up").bookings == {}


def test_a_time_that_is_over(ada: Member) -> None:
    ago = datetime.now(BERLIN) - timedelta(minutes=2)
    page = ada.book(day=ago.date().isoformat(), start=f"{ago:%H:%M}", end="23:59").text

    assert re.search(
        "This time is over. It is|This day is over|The end has to be after", page
    )  # the latter at midnight


def test_what_is_taken_is_said_with_its_times(ada: Member, cobot_with_free_rooms: StandIn) -> None:
    ada.book()
    again = ada.book(start="11:00", end="12:00")

    assert again.status_code == 200
    assert "It is taken from 10:00 to 11:30. Please choose another time." in again.text
    assert len(cobot_with_free_rooms.world.of("co-up").bookings) == 1
    assert ada.book(start="11:30", end="12:00").status_code == 303
    assert ada.book(resource=OTHER_ROOM).status_code == 303


def test_the_form_says_what_is_taken_on_its_day(ada: Member) -> None:
    ada.book()
    page = ada.get(f"/co-up/bookings/new?day={tomorrow()}").text

    assert re.sub(r"\s+", " ", page).count("Tomorrow: taken 10:00–11:30") == 1
    assert page.count("Tomorrow: free") == 3
    piece = ada.visitor.get(
        f"/co-up/bookings/new?day={tomorrow()}", headers={"X-Requested-With": "XMLHttpRequest"}
    ).text
    assert "<html" not in piece
    assert "taken 10:00–11:30" in piece


@pytest.mark.parametrize("day", ["", "x", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_day_that_somebody_made_up(ada: Member, day: str) -> None:
    assert ada.get(f"/co-up/bookings/new?day={day}").status_code == 200


@pytest.mark.parametrize(
    ("reply", "language", "words"),
    [
        ({"status": 500}, "en", "Please look at your bookings before you try again."),
        ({"status": 500}, "de", "Bitte sieh in deinen Buchungen nach"),
        ({"status": 429, "headers": {"Retry-After": "90"}}, "en", "Cobot wants you to wait for "),
        ({"status": 429, "headers": {"Retry-After": "90"}}, "de", "Cobot bittet dich, "),
    ],
)
def test_if_cobot_does_not_book_it_the_form_says_so(
    app: Flask, cobot_with_free_rooms: StandIn, reply: dict[str, Any], language: str, words: str
) -> None:
    member = Member(app, cobot_with_free_rooms, language=language)
    cobot_with_free_rooms.reply("api", path="/bookings", times=1, **reply)
    page = member.book()

    assert page.status_code == 200
    assert words in page.text
    assert 'value="Planning"' in page.text


def test_what_cobot_says_against_it_is_text(ada: Member, cobot_with_free_rooms: StandIn) -> None:
    cobot_with_free_rooms.alter("api", renamed_resource, path="/resources")
    cobot_with_free_rooms.alter("api", in_bold, path="/bookings", times=1)
    page = ada.book(resource="nowhere").text

    assert "Cobot does not accept this booking: &lt;b&gt;does not exist&lt;/b&gt;" in page


def renamed_resource(document: Any) -> Any:
    return {**document, "data": [{**document["data"][0], "id": "nowhere"}]}


def in_bold(document: Any) -> Any:
    return {"errors": [{**error, "detail": f"<b>{error['detail']}</b>"} for error in document["errors"]]}


def test_a_form_of_another_site_books_nothing(ada: Member, cobot_with_free_rooms: StandIn) -> None:
    answer = ada.visitor.browser.post("/co-up/bookings/new", data={"resource": ROOM})

    assert answer.status_code == 400
    assert "This page was open for too long" in answer.text
    assert cobot_with_free_rooms.world.of("co-up").bookings == {}


def test_cancelling_asks_once_more(ada: Member, cobot_with_free_rooms: StandIn) -> None:
    place = ada.book().location or ""
    assert f'href="{place}/cancel"' in ada.get(place).text
    asked = ada.get(f"{place}/cancel").text
    assert "Cancel this booking?" in asked
    assert "Meeting Room" in asked
    assert len(cobot_with_free_rooms.world.of("co-up").bookings) == 1

    gone = ada.post(f"{place}/cancel")

    assert (gone.status_code, gone.location) == (303, "/co-up/bookings")
    assert cobot_with_free_rooms.world.of("co-up").bookings == {}
    assert "Your booking of Meeting Room is cancelled." in ada.get("/co-up/bookings").text
    assert ada.get(place).status_code == 404


def test_what_is_over_cannot_be_cancelled(ada: Member, cobot_with_free_rooms: StandIn) -> None:
    [booking] = cobot_with_free_rooms.add_bookings("co-up", person="ada")
    start = datetime.now(BERLIN) - timedelta(hours=3)
    object.__setattr__(booking, "start", start)
    object.__setattr__(booking, "end", start + timedelta(hours=1))
    page = ada.get(f"/co-up/bookings/{booking.id}").text

    assert "Over</span>" in page
    assert "/cancel" not in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_else_s_booking_is_not_there(ada: Member, cobot_with_free_rooms: StandIn, method: str) -> None:
    [booking] = cobot_with_free_rooms.add_bookings("co-up", person="grace")

    assert ada.get(f"/co-up/bookings/{booking.id}").status_code == 404
    answer = getattr(ada, method)(f"/co-up/bookings/{booking.id}/cancel")
    assert answer.status_code == 404
    assert len(cobot_with_free_rooms.world.of("co-up").bookings) == 1


@pytest.mark.covers("A14")
@pytest.mark.parametrize(
    "typed",
    [
        *("bookings/%2e%2e", "bookings/a%0d%0ab", "bookings/%C3%A9", "bookings/a%23", "bookings/%2e%2e/cancel"),
        *("invoices/a%22b.pdf", "invoices/%2e%2e.pdf", f"bookings/{'a' * 3000}"),
    ],
)
def test_what_no_id_can_be_is_a_page_that_is_not_there(
    ada: Member, cobot_with_free_rooms: StandIn, typed: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(cobot_with_free_rooms.requests)

    assert ada.get(f"/co-up/{typed}").status_code == 404
    assert len(cobot_with_free_rooms.requests) == before
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_who_is_no_member_books_nothing(app: Flask, cobot_with_free_rooms: StandIn) -> None:
    visitor = Visitor(app, cobot_with_free_rooms)
    visitor.log_in("/cobot/login?space=co-up", "nina")

    assert visitor.get("/co-up/bookings/new").status_code == 403
