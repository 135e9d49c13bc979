"""The portal's pages about membership and bookings, without a browser: what they say, and what they ask Cobot."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, get_template_attribute

from cobot_oidc.standin import StandIn
from example_app import create_app
from example_app.bookings import Booking
from tests.conftest import Visitor

SECRET = "s3cret-of-the-portal"
LIFETIME = 600  # seconds for which what Cobot said about a membership counts


@pytest.fixture
def todays_cobot() -> Iterator[StandIn]:
    """A stand-in with today's date: the portal's pages say what is today."""
    with StandIn() as stand_in:
        stand_in.register_client(
            "portal", secret=SECRET, redirect_uri="http://localhost/cobot/callback", name="Member portal"
        )
        yield stand_in


@pytest.fixture
def app(todays_cobot: StandIn) -> Flask:
    return create_app(
        {
            "TESTING": True,
            "SECRET_KEY": "k" * 32,
            "COBOT_OIDC_CLIENT_ID": "portal",
            "COBOT_OIDC_CLIENT_SECRET": SECRET,
            "COBOT_OIDC_ISSUER": todays_cobot.issuer,
            "COBOT_OIDC_SPACE_ISSUER": todays_cobot.space_issuer_template,
        }
    )


Arrive = Callable[..., Visitor]


@pytest.fixture
def arrive(app: Flask, todays_cobot: StandIn) -> Arrive:
    """Somebody who has just logged in to a space, or to Cobot as a whole."""

    def log_in(person: str, space: str | None = "co-up") -> Visitor:
        visitor = Visitor(app, todays_cobot)
        visitor.log_in(f"/cobot/login?space={space or ''}", person)
        return visitor

    return log_in


def csrf_token(page: str) -> str:
    return str(re.findall(r'name="csrf_token" value="([^"]+)"', page)[0])


@pytest.mark.parametrize(
    ("person", "place"), [("ada", "/co-up/"), ("nina", "/co-up/profile"), ("alex", "/co-up/profile")]
)
def test_a_login_ends_where_there_is_something_for_them(
    app: Flask, todays_cobot: StandIn, person: str, place: str
) -> None:
    visitor = Visitor(app, todays_cobot)
    callback = visitor.answer(visitor.begin("/cobot/login?space=co-up"), person)

    assert visitor.get(callback).location == place


def test_cards_say_what_somebody_is_where_they_are_logged_in(arrive: Arrive) -> None:
    visitor = arrive("ada")
    assert "Member</span> <bdi>Ada Lovelace</bdi>" in visitor.get("/").text
    assert "You are not logged in here." in visitor.get("/").text

    visitor.log_in("/cobot/login?space=betahaus", "ada")
    assert "You are logged in, but not a member." in visitor.get("/").text
    assert "You are not logged in here." not in visitor.get("/").text

    assert "You run this space." in arrive("alex").get("/").text


def test_the_welcome_page_asks_cobot_nothing(
    arrive: Arrive, todays_cobot: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = arrive("ada")
    later = time.time() + LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: later)
    before = len(todays_cobot.requests)

    assert ">Member</span>" in visitor.get("/").text
    assert len(todays_cobot.requests) == before


def test_who_left_the_space_reads_so_on_the_card(
    arrive: Arrive, todays_cobot: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = arrive("ada")
    del todays_cobot.people["ada"].memberships["co-up"]
    later = time.time() + LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: later)

    assert visitor.get("/co-up/").status_code == 403
    assert "You are logged in, but not a member." in visitor.get("/").text


def test_while_cobot_is_away_nobody_is_taken_for_a_stranger(
    arrive: Arrive, todays_cobot: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = arrive("ada")
    todays_cobot.reply("api", status=500, path="/api/user")
    later = time.time() + LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: later)

    assert visitor.get("/co-up/").status_code == 503
    assert ">Member</span>" in visitor.get("/").text


def test_the_profile_lists_where_somebody_belongs(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.people["grace"].admin_of = ("betahaus", "nebenan")
    page = arrive("grace", None).get("/profile").text

    assert 'href="/co-up/"' in page
    assert 'href="/betahaus/"' in page
    assert "Nebenan" in page
    assert "Not in this portal" in page
    assert page.count("Runs this space") == 2


def test_who_belongs_nowhere_reads_so(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.people["ada"].memberships.clear()

    assert "Cobot knows no space of yours" in arrive("ada", None).get("/profile").text


def test_a_profile_at_a_space_asks_for_no_other_space(arrive: Arrive, todays_cobot: StandIn) -> None:
    visitor = arrive("ada")
    before = len(todays_cobot.requests)

    assert "m-ada" in visitor.get("/co-up/profile").text
    assert len(todays_cobot.requests) == before


@pytest.mark.parametrize("path", ["/betahaus/", "/betahaus/bookings", "/betahaus/people"])
def test_who_is_no_member_is_not_let_in(arrive: Arrive, todays_cobot: StandIn, path: str) -> None:
    response = arrive("ada", "betahaus").get(path)

    assert response.status_code == 403
    assert "Member portal" in response.text
    assert f'href="{todays_cobot.space_issuer("betahaus")}"' in response.text


def test_bookings_are_ones_own(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.world.of("co-up").bookings.clear()
    todays_cobot.add_bookings("co-up", person="grace", count=3)
    todays_cobot.add_bookings("co-up", person="ada", count=2)
    todays_cobot.add_bookings("co-up", count=2)

    page = arrive("ada").get("/co-up/bookings").text

    assert page.count('class="row booking"') == 2
    assert "That is all." in page


def test_bookings_come_ten_at_a_time(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.world.of("co-up").bookings.clear()
    todays_cobot.add_bookings("co-up", person="ada", count=20)
    visitor = arrive("ada")

    first, second = visitor.get("/co-up/bookings").text, visitor.get("/co-up/bookings?page=2").text

    assert first.count('class="row booking"') == second.count('class="row booking"') == 10
    assert "/co-up/bookings?page=2" in first
    assert "page=3" not in second
    assert "Show earlier bookings" in second
    assert "Booking 20<" not in first
    assert "Booking 20<" in second


def test_a_script_gets_a_piece_of_the_list(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.add_bookings("co-up", person="ada", count=30)

    visitor = arrive("ada")
    piece = visitor.get("/co-up/bookings?page=2", headers={"X-Requested-With": "XMLHttpRequest"}).text

    assert "<html" not in piece
    assert piece.count("<li") == 10
    assert "page=3" in piece


@pytest.mark.parametrize("page", ["0", "-3", "x", "99999999999999999999", ""])
def test_a_page_that_somebody_made_up(arrive: Arrive, page: str) -> None:
    assert arrive("ada").get(f"/co-up/bookings?page={page}").status_code == 200


def test_what_people_write_is_text(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.world.of("co-up").bookings.clear()
    [booking] = todays_cobot.add_bookings("co-up", person="ada")
    todays_cobot.world.of("co-up").bookings[booking.id] = replace(booking, title="<b>bold</b>")

    assert "&lt;b&gt;bold" in arrive("ada").get("/co-up/bookings").text


def test_the_only_script_is_the_portals_own(arrive: Arrive) -> None:
    response = arrive("ada").get("/co-up/bookings")

    assert re.findall("<script[^>]*>", response.text) == ['<script src="/static/portal.js" defer>']
    assert not re.search(r"<[^>]+ on\w+=", response.text)
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"script-src 'self'", "connect-src 'self'", "default-src 'none'"} <= set(policy)


def test_nothing_is_booked(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.world.of("co-up").bookings.clear()
    visitor = arrive("ada")

    assert "Nothing booked yet" in visitor.get("/co-up/").text
    assert "Nothing booked yet" in visitor.get("/co-up/bookings").text


def test_a_time_zone_that_this_machine_does_not_know(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.alter("api", {"time_zone_name": "Mars/Olympus Mons"}, path="/api/space")

    assert "(UTC)" in arrive("ada").get("/co-up/bookings").text


def test_the_time_zone_is_asked_for_once(arrive: Arrive, todays_cobot: StandIn) -> None:
    visitor = arrive("ada")
    assert "(Europe/Berlin)" in visitor.get("/co-up/bookings").text
    visitor.get("/co-up/")

    assert todays_cobot.asked("/api/space") == 1


def test_the_people_of_a_space(arrive: Arrive) -> None:
    visitor = arrive("alex")
    assert "Cobot will ask you to allow this once" in visitor.get("/co-up/profile").text
    authorization_url = visitor.begin("/co-up/people")
    assert "read_memberships" in authorization_url

    callback = visitor.get(visitor.answer(authorization_url, "alex"))
    page = visitor.get(callback.location).text

    assert callback.location == "/co-up/people"
    assert "3 members" in page
    assert "村上 春樹" in page
    assert ">AL<" in page  # Ada Lovelace
    assert "Flex Desk" in page or "Fixed Desk" in page or "Team Office" in page
    assert visitor.get("/co-up/people").status_code == 200  # asked for once


def test_a_member_does_not_see_the_people(arrive: Arrive) -> None:
    visitor = arrive("ada")

    assert "See the people" not in visitor.get("/co-up/").text
    assert visitor.get("/co-up/people").status_code == 403


def test_an_api_that_fails_is_a_page_in_the_portals_style(arrive: Arrive, todays_cobot: StandIn) -> None:
    visitor = arrive("ada")
    todays_cobot.reply("api", status=500, path="/bookings")

    response = visitor.get("/co-up/bookings")

    assert response.status_code == 503
    assert "Member portal" in response.text
    assert "Try again" in response.text


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("language", "start", "hours", "words"),
    [
        ("en", "2026-11-25T10:00", 1.5, "Today, 10:00–11:30"),
        ("en", "2026-11-26T09:00", 1, "Tomorrow, 09:00–10:00"),
        ("en", "2026-11-24T22:00", 20, "Yesterday, 22:00 – Today, 18:00"),
        ("en", "2026-11-27T09:00", 1, "Friday, 27 November, 09:00–10:00"),
        ("en", "2027-01-02T09:00", 1, "Saturday, 2 January 2027, 09:00–10:00"),
        ("de", "2026-11-25T10:00", 1.5, "Heute, 10:00–11:30"),
        ("de-AT", "2026-11-27T09:00", 1, "Freitag, 27. November, 09:00–10:00"),
        ("fr, de;q=0.5, en;q=0.1", "2027-01-02T09:00", 1, "Samstag, 2. Januar 2027, 09:00–10:00"),
        ("en-GB, de;q=0.5", "2026-11-26T09:00", 1, "Tomorrow, 09:00–10:00"),
        ("fr", "2026-11-26T09:00", 1, "Tomorrow, 09:00–10:00"),
    ],
)
def test_times_in_words(app: Flask, language: str, start: str, hours: float, words: str) -> None:
    begins = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
    booking = Booking("Call", None, begins, begins + timedelta(hours=hours))
    with app.test_request_context(headers={"Accept-Language": language}):
        when: Any = get_template_attribute("booking.html", "when")
        said = str(when(booking, datetime(2026, 11, 25, 12, tzinfo=BERLIN)))

    assert re.sub("<[^>]+>", "", said) == words
    assert f'datetime="{begins.isoformat()}"' in said


def test_who_logged_in_without_a_visit_since_reads_that_they_are_logged_in(app: Flask, todays_cobot: StandIn) -> None:
    """A login for a frame ends at no page of the portal's own."""
    visitor = Visitor(app, todays_cobot)
    visitor.get(visitor.answer(visitor.begin("/cobot/login?space=co-up"), "ada"))

    assert "You are logged in." in visitor.get("/").text


def test_invoices_are_ones_own(arrive: Arrive, todays_cobot: StandIn) -> None:
    todays_cobot.people["ada"].admin_of = ("co-up",)  # Cobot shows admins everybody's
    page = arrive("ada").get("/co-up/invoices").text

    assert page.count('class="row invoice"') == 3
    assert page.count(">Paid<") == 2
    assert page.count(">To pay<") + page.count(">Overdue<") == 1
    assert "m-grace" not in page
    assert "€" in page


def test_an_invoice_is_a_file(arrive: Arrive, todays_cobot: StandIn) -> None:
    visitor = arrive("ada")
    path = re.findall(r'href="(/co-up/invoices/[^"]+\.pdf)"', visitor.get("/co-up/invoices").text)[0]
    response = visitor.get(path)

    assert response.data.startswith(b"%PDF-")
    assert response.mimetype == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment; filename=invoice-m-ada-")
    assert response.headers["Cache-Control"] == "no-store"
    others = next(id_ for id_ in todays_cobot.world.of("co-up").invoices if "grace" in id_)
    assert visitor.get(f"/co-up/invoices/{others}.pdf").status_code in (403, 404)
    assert visitor.get("/co-up/invoices/none.pdf").status_code == 404


def test_amounts_and_days_in_german(arrive: Arrive) -> None:
    page = arrive("ada").get("/co-up/invoices", headers={"Accept-Language": "de"}).text

    assert re.search(r"\d+,\d\d\xa0€", page)
    assert "Bitte bezahle bis " in page


def test_checking_in_asks_for_the_scope_once_and_says_until_when(arrive: Arrive, todays_cobot: StandIn) -> None:
    visitor = arrive("ada")
    assert "You are not checked in." in visitor.get("/co-up/").text
    authorization_url = visitor.begin("/co-up/check-in")
    assert "write_check_ins" in authorization_url
    visitor.get(visitor.answer(authorization_url, "ada"))
    before = len(todays_cobot.world.of("co-up").check_ins)

    token = csrf_token(visitor.get("/co-up/check-in").text)
    for _ in range(2):  # a second click changes nothing
        response = visitor.browser.post("/co-up/check-in", data={"csrf_token": token})
        assert (response.status_code, response.location) == (303, "/co-up/check-in")

    assert len(todays_cobot.world.of("co-up").check_ins) == before + 1
    assert "You are checked in" in visitor.get("/co-up/check-in").text
    assert "Checked in" in visitor.get("/co-up/").text


def test_a_card_that_cobot_does_not_answer_for_loses_no_other(arrive: Arrive, todays_cobot: StandIn) -> None:
    visitor = arrive("ada")
    todays_cobot.reply("api", status=500, path="/api/invoices")
    page = visitor.get("/co-up/")

    assert page.status_code == 200
    assert page.text.count("Cobot does not answer this at the moment.") == 1
    assert "You are not checked in." in page.text


def with_each(name: str, value: object) -> Any:
    """The API's answers with this value wherever something has that name."""

    def changed(answer: Any) -> Any:
        if isinstance(answer, dict):
            return {each: value if each == name else changed(answer[each]) for each in answer}
        return [changed(each) for each in answer] if isinstance(answer, list) else answer

    return changed


TIMES: list[object] = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-25T10:00",
    "soon",
    "",
    None,
    5,
    ["x"],
]
DAYS: list[object] = ["0001-01-01", "9999-12-31", "2026-13-01", "soon", None, 5, {}]
AMOUNTS: list[object] = ["NaN", "1e400", "-Infinity", "x", "9" * 5000, 1e300, [], True]


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        *(("/co-up/bookings", name, TIMES) for name in ("from", "to")),
        *(("/co-up/check-in", name, TIMES) for name in ("valid_from", "valid_until")),
        *(("/co-up/invoices", name, DAYS) for name in ("invoice_date", "due_date")),
        ("/co-up/invoices", "gross", [*AMOUNTS, None]),
        ("/co-up/bookings/new", "net", AMOUNTS),
        *((path, "currency", [None, "", 5, "Taler"]) for path in ("/co-up/invoices", "/co-up/bookings/new")),
    ],
)
def test_nonsense_from_the_api_is_the_api_s_failure(
    arrive: Arrive, todays_cobot: StandIn, path: str, name: str, values: list[object]
) -> None:
    visitor = arrive("ada")
    if visitor.get(path).status_code == 302:  # for the scope
        visitor.get(visitor.answer(visitor.begin(path)))
    for value in values:
        todays_cobot.alter("api", with_each(name, value))
        response = visitor.get(path)
        assert response.status_code == 502, value
        assert "Member portal" in response.text

    home = visitor.get("/co-up/")
    assert home.status_code == 200
    assert home.text.count("Cobot does not answer this at the moment.") == (name != "net")
