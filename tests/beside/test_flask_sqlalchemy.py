"""Flask-SQLAlchemy: a row for everybody who logs in, written by the signal; nothing of a login that is refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import abort
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError

from cobot_oidc import User, user_logged_in
from cobot_oidc.standin import StandIn

from ..conftest import Visitor
from .conftest import NAVIGATION, RunPage


@pytest.fixture
def page(run_page: RunPage, tmp_path: Path) -> Iterator[Any]:
    page = run_page("user-table", SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/users.db")
    yield page
    with page.app.app_context():
        page.db.engine.dispose()


def rows(page: Any) -> list[tuple[str, str, str]]:
    with page.app.app_context():
        members = page.db.session.scalars(page.db.select(page.Member).order_by(page.Member.subject)).all()
        return [(each.issuer, each.subject, each.name) for each in members]


def test_a_login_makes_a_row_and_the_next_one_updates_it(page: Any, cobot: StandIn) -> None:
    ada = Visitor(page.app, cobot)
    assert ada.log_in("/desk").text == "Hello Ada Lovelace"
    ada.log_out()
    cobot.alter("id_token_claims", {"name": "Ada King"})

    assert ada.log_in("/desk").text == "Hello Ada King"

    assert rows(page) == [(cobot.issuer, cobot.people["ada"].subject, "Ada King")]


def test_two_people_have_two_rows(page: Any, cobot: StandIn) -> None:
    for person in ("ada", "grace"):
        Visitor(page.app, cobot).log_in("/desk", person)

    assert {name for _, _, name in rows(page)} == {"Ada Lovelace", "Grace Hopper"}


@pytest.mark.covers("X09")
def test_somebody_who_is_blocked_is_not_logged_in(page: Any, cobot: StandIn) -> None:
    ada = Visitor(page.app, cobot)
    ada.log_in("/desk")
    ada.log_out()
    with page.app.app_context():
        [member] = page.db.session.scalars(page.db.select(page.Member))
        member.is_blocked, member.name = True, "as it was"
        page.db.session.commit()

    assert ada.get(ada.answer(ada.begin("/desk"))).status_code == 403

    assert ada.get("/desk", headers=NAVIGATION).status_code == 302
    assert [name for _, _, name in rows(page)] == ["as it was"]


def test_a_login_outlives_its_row(page: Any, cobot: StandIn) -> None:
    ada = Visitor(page.app, cobot)
    ada.log_in("/desk")
    with page.app.app_context():
        page.db.session.execute(page.db.delete(page.Member))
        page.db.session.commit()

    assert ada.get("/desk").text == "Hello Ada Lovelace"


def test_somebody_who_is_blocked_while_logged_in_is_turned_away(page: Any, cobot: StandIn) -> None:
    ada = Visitor(page.app, cobot)
    ada.log_in("/desk")
    with page.app.app_context():
        [member] = page.db.session.scalars(page.db.select(page.Member))
        member.is_blocked = True
        page.db.session.commit()

    assert ada.get("/desk").status_code == 403


@pytest.mark.covers("X09")
def test_what_a_handler_did_not_commit_is_gone_if_the_login_is_refused(page: Any, cobot: StandIn) -> None:
    user_logged_in.disconnect(page.remember, page.app)

    @user_logged_in.connect_via(page.app)
    def refuse(app: Any, user: User) -> None:
        member = page.Member(issuer=user.issuer, subject=user.subject, name="refused")
        member.last_login = page.datetime.now(page.UTC)
        page.db.session.add(member)
        page.db.session.flush()
        abort(403, app.name)

    ada = Visitor(page.app, cobot)
    assert ada.get(ada.answer(ada.begin("/desk"))).status_code == 403

    assert rows(page) == []


def test_nobody_logs_in_while_the_database_is_away(page: Any, cobot: StandIn) -> None:
    with page.app.app_context():
        page.db.drop_all()
    page.app.register_error_handler(OperationalError, lambda _: ("no database", 503))
    ada = Visitor(page.app, cobot)

    assert ada.get(ada.answer(ada.begin("/desk"))).text == "no database"

    assert ada.get("/desk", headers=NAVIGATION).status_code == 302


def test_first_logins_at_the_same_moment_make_one_row(page: Any) -> None:
    user = User("https://www.cobot.me", "ada", None, {"name": "Ada"}, 1_800_000_000)

    def log_in(_: int) -> None:
        with page.app.app_context():
            page.remember(page.app, user)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log_in, range(16)))

    assert rows(page) == [("https://www.cobot.me", "ada", "Ada")]


def test_the_statement_is_one_of_postgresql_too(page: Any) -> None:
    dialect: Any = postgresql  # typed in parts
    row = dialect.insert(page.Member).values(issuer="i", subject="s")
    statement = row.on_conflict_do_update(index_elements=["issuer", "subject"], set_={"name": "n"})

    assert "ON CONFLICT (issuer, subject) DO UPDATE" in str(statement.compile(dialect=dialect.dialect()))
