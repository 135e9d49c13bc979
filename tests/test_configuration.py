"""A wrong configuration is refused at ``init_app``, by key, value and remedy; and the start waits for nobody."""

import subprocess
import sys
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, ConfigurationError, from_host, from_subdomain

GOOD = {"SECRET_KEY": "k" * 32, "COBOT_OIDC_CLIENT_ID": "portal", "COBOT_OIDC_CLIENT_SECRET": "s"}


def set_up(space: Any = None, **changes: Any) -> Flask:
    app = Flask("portal")
    app.config.update({key: value for key, value in (GOOD | changes).items() if value is not ...})
    CobotOIDC(app, space=space)
    return app


@pytest.mark.covers("J01", "J03", "R08", "R13", "R15", "S05", "S17")
@pytest.mark.requirement("RFC6749-3.1.2-1", "RFC6749-3.1.2-2", "RFC6749-3.1.2.1-1", "RFC9207-4-1")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SECRET_KEY", ...),  # S05
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "dev"),
        ("SECRET_KEY", "k" * 31),
        ("SECRET_KEY_FALLBACKS", ["old"]),
        ("SECRET_KEY_FALLBACKS", "o" * 32),
        ("SESSION_COOKIE_SAMESITE", "Strict"),  # S17
        ("COBOT_OIDC_CLIENT_ID", ...),
        ("COBOT_OIDC_CLIENT_ID", ""),
        ("COBOT_OIDC_CLIENT_ID", 12345),
        ("COBOT_OIDC_CLIENT_AUTH", "private_key_jwt"),
        ("COBOT_OIDC_CLIENT_AUTH", "none"),
        ("COBOT_OIDC_ISSUER", None),
        ("COBOT_OIDC_ISSUER", "www.cobot.me"),
        ("COBOT_OIDC_ISSUER", "http://www.cobot.me"),  # R08
        ("COBOT_OIDC_ISSUER", "https://www.cobot.me?x=1"),  # R13
        ("COBOT_OIDC_ISSUER", "https://www.cobot.me#x"),
        ("COBOT_OIDC_ISSUER", "https://user@www.cobot.me"),
        ("COBOT_OIDC_ISSUER", "ftp://www.cobot.me"),
        ("COBOT_OIDC_SPACE_ISSUER", "https://cobot.me"),
        ("COBOT_OIDC_SPACE_ISSUER", "https://x{space}.cobot.me"),
        ("COBOT_OIDC_SPACE_ISSUER", "https://{space}.cobot.me/{space}"),
        ("COBOT_OIDC_SPACE_ISSUERS", ["co-up"]),
        ("COBOT_OIDC_SPACE_ISSUERS", {"Co Up": "https://my.co-up.de"}),
        ("COBOT_OIDC_SPACE_ISSUERS", {"co-up": "http://my.co-up.de"}),
        ("COBOT_OIDC_SPACE_ISSUERS", {"co-up": "https://www.cobot.me"}),
        ("COBOT_OIDC_SPACES", 7),
        ("COBOT_OIDC_SPACES", ["Co-Up"]),
        ("COBOT_OIDC_ALLOWED_HOSTS", ["https://oauth2.googleapis.com"]),
        ("COBOT_OIDC_SCOPES", ["open id", 'quo"te']),
        ("COBOT_OIDC_REDIRECT_URI", "/cobot/callback"),
        ("COBOT_OIDC_REDIRECT_URI", "http://portal.example/cobot/callback"),
        ("COBOT_OIDC_REDIRECT_URI", "https://portal.example/callback"),
        ("COBOT_OIDC_REDIRECT_URI", "HTTPS://portal.example/cobot/callback"),
        ("COBOT_OIDC_REDIRECT_URI", "https://portal.example/cobot/callback?x"),
        ("COBOT_OIDC_REDIRECT_URI", "https://portal.example/cobot/callback#x"),
        ("COBOT_OIDC_URL_PREFIX", "cobot"),
        ("COBOT_OIDC_URL_PREFIX", "/"),
        ("COBOT_OIDC_AFTER_LOGIN", "//evil.example"),
        ("COBOT_OIDC_SESSION_LIFETIME", "12h"),
        ("COBOT_OIDC_SESSION_LIFETIME", 0),
        ("COBOT_OIDC_SESSION_LIFETIME", True),
        ("COBOT_OIDC_SESSION_IDLE_LIFETIME", "1h"),
        ("COBOT_OIDC_SESSION_IDLE_LIFETIME", 59),
        ("COBOT_OIDC_CLAIMS", [1]),
        ("COBOT_OIDC_EMBEDDED", "yes"),
        ("COBOT_OIDC_ALGORITHMS", ["none"]),  # J01
        ("COBOT_OIDC_ALGORITHMS", ["HS256"]),  # J03
        ("COBOT_OIDC_ALGORITHMS", []),
        ("COBOT_OIDC_LEEWAY", 301),
        ("COBOT_OIDC_MAX_IAT_AGE", -1),
        ("COBOT_OIDC_TOTAL_TIMEOUT", 0),
        ("COBOT_OIDC_REQUEST_TIMEOUT", 0.05),
        ("COBOT_OIDC_REQUEST_TIMEOUT", 121),
        ("COBOT_OIDC_PROXIES", "http://proxy"),
        ("COBOT_OIDC_CA_BUNDLE", "/nowhere.pem"),
        ("COBOT_OIDC_KEEP_TOKEN", "yes"),
        ("COBOT_OIDC_REVOKE_TOKEN", True),  # nothing is kept
        ("COBOT_OIDC_MEMBERSHIP", 1),
        ("COBOT_OIDC_MEMBERSHIP_LIFETIME", 59),
        ("COBOT_OIDC_MEMBERSHIP_STALE", -1),
        ("COBOT_OIDC_API_URL", "http://api.cobot.me"),
        ("COBOT_OIDC_API_URL", "https://api.cobot.me/"),
        ("COBOT_OIDC_API_LIMIT", 60),
        ("COBOT_OIDC_API_LIMIT", "sixty a minute"),
        ("COBOT_OIDC_REDIS_URL", "localhost:6379"),
        ("COBOT_OIDC_REDIS_URL", "redis://localhost:port"),
        ("COBOT_OIDC_REDIS_URL", "redis://localhost?retries=3"),
        ("COBOT_OIDC_CLIENTID", "portal"),
        ("COBOT_OIDC_VERIFY", False),  # R15: there is no such switch
    ],
)
def test_a_wrong_setting_is_named(key: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        set_up(**{key: value})

    assert caught.value.details["setting"] == key
    assert caught.value.details["expected"]
    assert key in str(caught.value)


def test_what_is_expected_is_told_in_plain_words() -> None:
    with pytest.raises(ConfigurationError) as caught:
        set_up(COBOT_OIDC_REDIS_URL="redis://localhost:port")

    expected = "a URL such as redis://localhost:6379/0, rediss://… or unix:///…"
    assert caught.value.details["expected"] == expected
    assert str(caught.value).endswith(f"(setting COBOT_OIDC_REDIS_URL, found 'a str, not shown', expected {expected})")


@pytest.mark.covers("L03")
def test_what_was_found_is_told_escaped_and_cut() -> None:
    with pytest.raises(ConfigurationError) as caught:
        set_up(COBOT_OIDC_URL_PREFIX="/a\x1b[31m…" + "x" * 300)

    found = caught.value.details["found"]
    assert isinstance(found, str)
    assert found.startswith(r"'/a\x1b[31m\u2026xxx")
    assert len(found) == 200


def test_a_misspelt_key_is_told_its_right_name() -> None:
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_REDIRECT_URI"):
        set_up(COBOT_OIDC_REDIRECT_URL="https://portal.example/cobot/callback")


@pytest.mark.covers("L02")
def test_no_secret_stands_in_an_error() -> None:
    for changes in (
        {"SECRET_KEY": "hunter2"},
        {"COBOT_OIDC_CLIENT_SECRET": b"hunter2"},
        {"COBOT_OIDC_REDIS_URL": "redis://:hunter2@host:x"},
    ):
        with pytest.raises(ConfigurationError) as caught:
            set_up(**changes)
        assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(caught.value.details)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"COBOT_OIDC_CLIENT_SECRET": ...},
        {"COBOT_OIDC_KEEP_TOKEN": False, "COBOT_OIDC_REDIS_URL": None, "COBOT_OIDC_EMBEDDED": False},
        {"COBOT_OIDC_REDIS_URL": "redis://:password@nowhere.invalid:6379/0"},  # nothing is asked yet
        {"COBOT_OIDC_CLIENT_AUTH": "client_secret_basic"},
        {"COBOT_OIDC_ISSUER": "https://accounts.google.com", "COBOT_OIDC_ALLOWED_HOSTS": ["oauth2.googleapis.com"]},
        {"COBOT_OIDC_SPACE_ISSUER": "https://op.example/realms/{space}"},
        {"COBOT_OIDC_SPACE_ISSUER": None},
        {"COBOT_OIDC_SPACE_ISSUERS": {"berlin": "https://co-up.cobot.me"}},
        {"COBOT_OIDC_SPACE_ISSUERS": {"co-up": {"issuer": "https://my.co-up.de", "client_id": "own"}}},
        {"COBOT_OIDC_REDIRECT_URI": "https://portal.example/members/cobot/callback"},
        {"COBOT_OIDC_SCOPES": "openid read_user"},
        {"COBOT_OIDC_AFTER_LOGIN": "home"},
        {"COBOT_OIDC_ALGORITHMS": "RS256 ES256"},
    ],
)
def test_what_is_right_is_taken(changes: dict[str, Any]) -> None:
    set_up(**changes)


def test_one_app_is_set_up_once() -> None:
    app = set_up()
    with pytest.raises(ConfigurationError, match="already_installed"):
        CobotOIDC(app)


def test_spaces_in_host_names_need_a_session_that_reaches_them() -> None:
    redirect_uri = {"COBOT_OIDC_REDIRECT_URI": "https://portal.example/cobot/callback"}
    with pytest.raises(ConfigurationError, match="SESSION_COOKIE_DOMAIN"):
        set_up(from_host("portal.example"), **redirect_uri)
    with pytest.raises(ConfigurationError, match="SERVER_NAME"):
        set_up(from_subdomain())
    set_up(from_host("portal.example"), SESSION_COOKIE_DOMAIN="portal.example", **redirect_uri)


def test_the_start_and_the_first_answer_ask_nobody_and_import_little() -> None:
    # A process of its own: what one process imported once stays.
    program = """
import socket, sys
def refuse(*_args, **_kwargs):
    raise AssertionError("the start opens a connection")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import cobot_oidc.protocol
assert "flask" not in sys.modules and "requests" not in sys.modules and "jwt" not in sys.modules
from flask import Flask
from cobot_oidc import CobotOIDC, current_user, login_required
app = Flask("portal")
app.config.update(SECRET_KEY="k" * 32, COBOT_OIDC_CLIENT_ID="portal")
CobotOIDC(app)
app.add_url_rule("/", "home", login_required(lambda: "home"))
answer = app.test_client().get("/")
assert answer.status_code == 302
for name in ("requests", "authlib", "jwt", "cryptography", "urllib3"):
    assert name not in sys.modules, name
answer.close()  # as a server does once it has sent it
assert "cobot_oidc.login.views" in sys.modules, "the first login would wait for imports"
"""
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own text
