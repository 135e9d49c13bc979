"""Flask-Admin: each of its views asks our guards, and its index view is open to everybody until it does too."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel

from cobot_oidc.standin import StandIn

from ..conftest import MakePortal, Visitor
from .conftest import NAVIGATION, RunPage


@pytest.fixture
def page(run_page: RunPage) -> Iterator[Any]:
    page = run_page("flask-admin", SQLALCHEMY_DATABASE_URI="sqlite://")
    with page.app.app_context():
        page.db.create_all()
    yield page
    with page.app.app_context():
        page.db.engine.dispose()


def test_who_runs_the_space_comes_in_and_back_to_where_they_were(page: Any, cobot: StandIn) -> None:
    alex = Visitor(page.app, cobot)

    answer = alex.log_in("/admin/notice/", "alex")

    assert answer.status_code == 200
    assert 'href="/admin/notice/new/' in answer.text


def test_an_admin_changes_something_with_flask_admin_s_own_token(page: Any, cobot: StandIn) -> None:
    alex = Visitor(page.app, cobot)
    form = alex.log_in("/admin/notice/new/", "alex").text
    token = form.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]

    alex.browser.post("/admin/notice/new/", data={"text": "Closed on Monday"})
    assert "Closed on Monday" not in alex.get("/admin/notice/").text
    alex.browser.post("/admin/notice/new/", data={"text": "Closed on Monday", "csrf_token": token})
    assert "Closed on Monday" in alex.get("/admin/notice/").text


def test_a_member_sees_a_page_that_says_why_not(page: Any, cobot: StandIn) -> None:
    ada = Visitor(page.app, cobot)

    answer = ada.log_in("/admin/", "ada")

    assert answer.status_code == 403
    assert "Go to the space at Cobot" in answer.text
    assert ada.browser.post("/admin/notice/new/", data={"text": "x"}).status_code == 403


def test_an_admin_of_another_space_is_nobody_here(page: Any, cobot: StandIn) -> None:
    berta = Visitor(page.app, cobot)
    assert berta.begin("/admin/", headers=NAVIGATION).startswith(cobot.space_issuer("co-up"))


def test_the_page_s_test_passes_and_finds_a_view_without_a_guard(page: Any) -> None:
    page.test_every_page_of_the_admin_is_guarded()

    class Unguarded(ModelView):  # type: ignore[misc] # Flask-Admin is untyped
        pass

    page.app._got_first_request = False  # a view is added after the first request, which Flask refuses
    page.admin.add_view(Unguarded(page.Notice, page.db, endpoint="open"))
    with pytest.raises(AssertionError, match="open"):
        page.test_every_page_of_the_admin_is_guarded()


def test_without_a_guarded_index_view_everybody_gets_in(make_portal: MakePortal) -> None:
    portal = make_portal()
    Babel(portal)
    Admin(portal)

    assert portal.test_client().get("/admin/", headers=NAVIGATION).status_code == 200
