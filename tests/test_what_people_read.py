"""What people and operators read: every code is in the documentation, every sentence in every language."""

import ast
import logging
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import FileSystemLoader

from cobot_oidc.api import answers
from cobot_oidc.errors import CobotOIDCError
from cobot_oidc.standin import StandIn
from tools import error_codes

from .conftest import MakePortal, Visitor

PACKAGE = Path(__file__).parents[1] / "cobot_oidc"
TRANSLATIONS = PACKAGE / "translations"
ERRORS = {"ConfigurationError", "ProviderError", "TokenError", "LoginError", "APIError"}
CHOSEN_BY_A_VARIABLE = {
    "interaction_required",
    "provider_declined",
    "rights_limited",
    "space_token_missing",
    "request_refused",
    *answers.CODES.values(),
}


def raised_codes() -> set[str]:
    """The first argument of every error that the package makes, where it is a constant."""
    return {
        str(call.args[0].value)
        for path in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ERRORS
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    assert raised_codes() <= CobotOIDCError.entries.keys()
    assert CobotOIDCError.entries.keys() - raised_codes() <= CHOSEN_BY_A_VARIABLE


def test_the_page_about_errors_lists_every_code() -> None:
    written = error_codes.PAGE.read_text(encoding="utf-8")

    assert [code for code in CobotOIDCError.entries if f"### `{code}`\n" not in written] == []


def test_the_page_about_errors_is_up_to_date() -> None:
    assert error_codes.PAGE.read_text(encoding="utf-8") == error_codes.page(), "make docs"


@pytest.mark.parametrize("language", [path.name for path in sorted(TRANSLATIONS.iterdir())])
def test_every_sentence_is_in_every_language(language: str) -> None:
    folder = TRANSLATIONS / language / "LC_MESSAGES"
    with (folder / "cobot_oidc.po").open("rb") as file:
        catalogue = read_po(file)
    templates = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("templates/cobot_oidc/*.html"))
    said = {entry.sentence for entry in CobotOIDCError.entries.values()} | set(
        re.findall(r'say\("([^"]+)"\)', templates)
    )

    assert {str(message.id) for message in catalogue if message.id} == said
    assert all(message.string for message in catalogue)
    assert not any(message.fuzzy for message in catalogue if message.id)


@pytest.mark.parametrize(
    ("accepted", "language", "sentence"),
    [
        ("de", "de", "Diese Anmeldung ist nicht mehr gültig"),
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Diese Anmeldung ist nicht mehr gültig"),
        ("en-GB,de;q=0.5", "en", "This login is no longer valid"),
        ("ja", "en", "This login is no longer valid"),
        ("../../etc/passwd, *;q=x", "en", "This login is no longer valid"),
    ],
)
def test_pages_speak_the_persons_language(visitor: Visitor, accepted: str, language: str, sentence: str) -> None:
    response = visitor.get_with("a=b", "/cobot/callback?state=x&code=y", **{"Accept-Language": accepted})

    assert f'<html lang="{language}">' in response.text
    assert response.headers["Content-Language"] == language
    assert sentence in response.text
    assert "Accept-Language" in response.headers["Vary"]


@pytest.mark.covers("L05")
def test_the_operator_reads_what_happens(visitor: Visitor, cobot: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cobot_oidc"):
        visitor.log_in("/co-up/desk")
        visitor.log_out()
        cobot.keys.rotate()
        visitor.log_in("/co-up/desk")

    said = [record.__dict__ for record in caplog.records if "event" in record.__dict__]
    events = [(record["event"], record["issuer"]) for record in said]
    names = ["login_started", "keys_renewed", "logged_in", "logged_out", "login_started", "keys_renewed", "logged_in"]
    assert sorted(events) == sorted((name, cobot.space_issuer("co-up")) for name in names)


def test_an_app_has_a_page_of_its_own(make_portal: MakePortal, cobot: StandIn, tmp_path: Path) -> None:
    folder = tmp_path / "cobot_oidc"
    folder.mkdir()
    (folder / "error.html").write_text("Oh dear: {{ say(error.sentence) }} {{ error.correlation_id }} {{ home_url }}")
    portal = make_portal()
    portal.jinja_loader = FileSystemLoader(tmp_path)  # as a folder of templates of the app's own

    page = Visitor(portal, cobot).get("/cobot/callback?state=x")

    assert page.status_code == 400
    assert page.text.startswith("Oh dear: Your browser did not send any cookies")


@pytest.mark.covers("S14")
@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "{{7*7}}", '"><img src=x>', "{% raise %}"])
def test_nothing_that_a_stranger_wrote_is_on_a_page(visitor: Visitor, hostile: str) -> None:
    queries = [
        {"error": hostile, "error_description": hostile, "error_uri": hostile, "state": hostile},
        {"code": hostile, "state": hostile, "iss": hostile},
    ]
    for query in queries:
        page = visitor.get("/cobot/callback", query_string=query)
        assert page.status_code == 400
        assert hostile not in page.text
        assert "49" not in re.sub(r"<code>\w+</code>", "", page.text)
    space = visitor.get("/cobot/login", query_string={"space": hostile, "next": hostile})
    assert space.status_code == 404
    assert hostile not in space.text
