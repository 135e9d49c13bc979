"""The stand-in's pages speak the English that our own pages speak."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from cobot_oidc.standin import StandIn

QUERY = {"response_type": "code", "client_id": "portal", "redirect_uri": "http://localhost/cobot/callback"}


def text_of(cobot: StandIn, path: str, **query: str) -> str:
    url = f"http://127.0.0.1:{cobot.port}{path}?{urlencode(query)}"
    page = requests.get(url, headers={"Host": f"co-up.cobot.localhost:{cobot.port}"}, timeout=60).text
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)


@pytest.mark.parametrize("path", ["/oauth/authorize", "/stand-in", "/members", "/admin"])
def test_people_log_in_and_never_sign_in(cobot: StandIn, path: str) -> None:
    assert not re.search(r"\bsign(ed)?[ -](in|out)\b", text_of(cobot, path, **QUERY, scope="openid"), re.IGNORECASE)


def test_no_page_of_the_templates_says_sign_in() -> None:
    folder = Path(__file__).parents[2] / "cobot_oidc" / "standin" / "templates"
    for template in folder.rglob("*.html"):
        said = re.sub(r"\{[{%].*?[%}]\}|<[^>]+>", " ", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\bsign(ed)?[ -](in|out)\b", said, re.IGNORECASE), template.name


def test_the_control_page_says_what_its_buttons_do(cobot: StandIn) -> None:
    words = text_of(cobot, "/stand-in")
    for button in ("Rotate the signing key", "Reset", "Misbehave", "Apply", "Save"):
        assert button in words


@pytest.mark.parametrize(
    ("asked", "known", "option"),
    [
        ({"redirect_uri": "http://localhost:5050/cobot/callback"}, QUERY["redirect_uri"], "--redirect-uri"),
        ({"client_id": "protal"}, "portal", "--client-id"),
    ],
)
def test_a_request_that_does_not_fit_is_told_what_would(
    cobot: StandIn, asked: dict[str, str], known: str, option: str
) -> None:
    words = text_of(cobot, "/oauth/authorize", **(QUERY | asked))

    assert known in words
    assert option in words
