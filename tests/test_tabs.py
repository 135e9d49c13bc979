"""Several logins of one browser at once."""

import itertools
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from cobot_oidc.standin import StandIn

from .conftest import Visitor


@pytest.mark.covers("F06")
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_five_tabs_end_where_each_began(visitor: Visitor, order: tuple[int, ...]) -> None:
    started = [visitor.begin(f"/desk?tab={tab}") for tab in range(5)]
    answers = [visitor.answer(url) for url in started]

    for tab in order:
        response = visitor.get(answers[tab])
        assert (response.status_code, response.location) == (303, f"/desk?tab={tab}")


def test_two_tabs_of_two_spaces(visitor: Visitor) -> None:
    answers = [visitor.answer(visitor.begin(f"/{space}/desk"), "grace") for space in ("co-up", "betahaus")]

    for answer in reversed(answers):
        assert visitor.get(answer).status_code == 303

    assert visitor.sees("/co-up/open")
    assert visitor.sees("/betahaus/open")


@pytest.mark.covers("F07")
def test_fifty_tabs_leave_five_cookies_and_the_newest_works(visitor: Visitor) -> None:
    started = [visitor.begin("/desk?" + "x" * (tab * 40)) for tab in range(50)]

    cookies = [cookie for cookie in visitor.cookies if cookie.key.startswith("cobot_oidc_")]
    assert len(cookies) <= 5
    assert sum(len(f"{cookie.key}={cookie.value}; ") for cookie in cookies) < 4096
    assert visitor.get(visitor.answer(started[-1])).status_code == 303


def test_all_cookies_together_stay_small(visitor: Visitor) -> None:
    visitor.log_in("/desk")
    started = [visitor.begin("/cobot/login?next=/desk") for _ in range(7)]

    sent = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)
    assert len(sent) <= 2500
    session = next(c for c in visitor.cookies if c.key == "session")
    assert len(f"session={session.value}") <= 260
    for url in started[-5:]:
        assert visitor.get(visitor.answer(url)).status_code == 303


@pytest.mark.covers("F09", "F10", "S20")
def test_each_login_has_secrets_of_its_own_and_pkce(visitor: Visitor, cobot: StandIn) -> None:
    cobot.alter("metadata", {"code_challenge_methods_supported": ["plain"]})
    seen: set[str] = set()
    for _ in range(20):
        query = parse_qs(urlsplit(visitor.begin("/cobot/login")).query, strict_parsing=True)
        assert query["code_challenge_method"] == ["S256"]
        assert query["response_type"] == ["code"]
        assert query["scope"] == ["openid email profile"]
        secrets = [query[name][0] for name in ("state", "nonce", "code_challenge")]
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)
        seen.update(secrets)
    assert len(seen) == 60


@pytest.mark.covers("F21", "M08")
def test_only_harmless_parameters_travel_on(visitor: Visitor) -> None:
    query = "&".join(
        (
            "client_id=evil",
            "redirect_uri=https://evil.example",
            "scope=all",
            "state=mine",
            "nonce=mine",
            "response_type=token",
            "issuer=https://evil.example",  # M08
            "prompt=login",
            "login_hint=ada@example.org",
            "ui_locales=de",
            "max_age=60",
        )
    )
    url = visitor.begin(f"/cobot/login?{query}")

    sent = parse_qs(urlsplit(url).query)
    assert sent["client_id"] == ["portal"]
    assert sent["redirect_uri"] == ["http://localhost/cobot/callback"]
    assert sent["scope"] == ["openid email profile"]
    assert "mine" not in url
    assert "evil" not in url
    assert [sent[name] for name in ("prompt", "login_hint", "ui_locales", "max_age")] == [
        ["login"],
        ["ada@example.org"],
        ["de"],
        ["60"],
    ]


@pytest.mark.covers("S02")
@pytest.mark.parametrize("part", [0, 1, 20, 60, -1])
def test_an_altered_transaction_is_none(visitor: Visitor, part: int) -> None:
    answer = visitor.answer(visitor.begin("/desk"))
    cookie = next(c for c in visitor.cookies if c.key.startswith("cobot_oidc_"))
    value = list(cookie.value)
    value[part] = "A" if value[part] != "A" else "B"
    visitor.browser.set_cookie(cookie.key, "".join(value))

    assert visitor.get(answer).status_code == 400


@pytest.mark.covers("S02")
def test_transactions_cannot_be_swapped(visitor: Visitor) -> None:
    first, second = (visitor.answer(visitor.begin(f"/desk?{tab}")) for tab in (1, 2))
    one, two = (c for c in visitor.cookies if c.key.startswith("cobot_oidc_"))
    visitor.browser.set_cookie(one.key, two.value)
    visitor.browser.set_cookie(two.key, one.value)

    assert [visitor.get(answer).status_code for answer in (first, second)] == [400, 400]


@pytest.mark.covers("S13")
def test_two_cookies_of_one_name_are_none(visitor: Visitor) -> None:
    answer = visitor.answer(visitor.begin("/desk"))
    cookie = next(c for c in visitor.cookies if c.key.startswith("cobot_oidc_"))
    pair = f"{cookie.key}={cookie.value}"

    assert visitor.get_with(f"{pair}; {pair}", answer).status_code == 400
    assert visitor.get_with(pair, answer).status_code == 303


@pytest.mark.covers("S02", "S07")
def test_rubbish_in_cookies_is_no_login(visitor: Visitor) -> None:
    for name, value in itertools.product(
        ("session", "cobot_oidc_recent", "cobot_oidc_" + "a" * 22), ("", "x" * 4000, "é", "....", "-1", "\x7f")
    ):
        header = f"{name}={value}".encode().decode("latin1")
        assert visitor.get_with(header, "/").status_code == 200
        assert visitor.get_with(header, "/cobot/login").status_code == 302
        assert visitor.get_with(header, "/cobot/callback?state=x&code=y").status_code == 400
