"""Flask-Babel: our pages speak the language that people chose in the app, and never fail because of it."""

from typing import Any

import pytest
from flask import Flask

from cobot_oidc import ConfigurationError
from cobot_oidc.standin import StandIn

from ..conftest import MakePortal, Visitor
from .conftest import NAVIGATION, RunPage

BROWSER = NAVIGATION | {"Accept-Language": "en-GB, en;q=0.9"}
GERMAN, ENGLISH = ("de", "en")


@pytest.fixture
def page(run_page: RunPage) -> Any:
    return run_page("flask-babel")


def language_of_a_page_of_ours(client: Any, **headers: str) -> str:
    answer = client.get("/cobot/callback?state=x", headers=BROWSER | headers)
    assert answer.status_code == 400
    return str(answer.headers["Content-Language"])


def test_a_page_of_ours_speaks_the_language_that_was_chosen(page: Any) -> None:
    client = page.app.test_client()
    assert language_of_a_page_of_ours(client) == ENGLISH

    client.post("/language/de")

    assert language_of_a_page_of_ours(client) == GERMAN
    assert 'lang="de"' in client.get("/cobot/callback?state=x", headers=BROWSER).text


def test_the_language_survives_a_login(page: Any, cobot: StandIn) -> None:
    visitor = Visitor(page.app, cobot)
    visitor.browser.post("/language/de")

    assert visitor.log_in("/").text == "Hello"

    assert language_of_a_page_of_ours(visitor.browser) == GERMAN


def test_a_problem_document_speaks_it_too(page: Any) -> None:
    client = page.app.test_client()
    english = client.get("/", headers={"Sec-Fetch-Mode": "cors"}).json["detail"]
    client.post("/language/de")

    assert client.get("/", headers={"Sec-Fetch-Mode": "cors"}).json["detail"] != english


def failing() -> str:
    raise RuntimeError("the database is away")


@pytest.mark.parametrize(
    ("chosen", "language"),
    [
        (lambda: "de_AT", GERMAN),
        (lambda: None, ENGLISH),
        (lambda: "fr", ENGLISH),
        (lambda: "", ENGLISH),
        (failing, ENGLISH),
    ],
)
def test_any_function_will_do_and_one_that_fails_is_only_logged(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture, chosen: Any, language: str
) -> None:
    client = make_portal(COBOT_OIDC_LANGUAGE=chosen).test_client()

    assert language_of_a_page_of_ours(client) == language
    assert ("COBOT_OIDC_LANGUAGE failed" in caplog.text) is (chosen is failing)


def test_what_is_no_function_is_refused(make_portal: MakePortal) -> None:
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_LANGUAGE"):
        make_portal(COBOT_OIDC_LANGUAGE="de")


def test_the_wish_of_the_page_reaches_the_provider(page: Any, cobot: StandIn) -> None:
    app: Flask = page.app
    assert "ui_locales=de" in Visitor(app, cobot).begin("/cobot/login?ui_locales=de")


def test_what_was_chosen_counts_in_a_frame_too(make_portal: MakePortal) -> None:
    framed = {"Sec-Fetch-Dest": "iframe"}
    for chosen, language in ((lambda: None, ENGLISH), (lambda: "de", GERMAN)):
        client = make_portal(COBOT_OIDC_EMBEDDED=True, COBOT_OIDC_LANGUAGE=chosen).test_client()
        answer = client.get("/co-up/desk?cobot_embed=true&cobot_locale=en", headers=BROWSER | framed)
        page = client.get(answer.location, headers=BROWSER | framed)

        assert page.headers["Content-Language"] == language
