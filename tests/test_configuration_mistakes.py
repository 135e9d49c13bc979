"""The mistakes that people make with settings: all are reported at once, each with what was probably meant."""

import copy
import pickle
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, ConfigurationError, from_host
from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor

GOOD = {"SECRET_KEY": "k" * 32, "COBOT_OIDC_CLIENT_ID": "portal", "COBOT_OIDC_CLIENT_SECRET": "s3cret"}


def refusal(space: Any = None, **changes: Any) -> ConfigurationError:
    app = Flask("portal")
    app.config.update({key: value for key, value in (GOOD | changes).items() if value is not ...})
    with pytest.raises(ConfigurationError) as caught:
        CobotOIDC(app, space=space)
    return caught.value


def test_all_problems_of_one_start_are_reported_together() -> None:
    error = refusal(
        from_host("portal.example"),
        SECRET_KEY="short",
        SESSION_COOKIE_SAMESITE="Strict",
        COBOT_OIDC_CLIENT_ID=...,
        COBOT_OIDC_CLIENT_SECRET="hunter2\n",
        COBOT_OIDC_LEEWAY=301,
        COBOT_OIDC_SCOPES="openid,email",
        COBOT_OIDC_VERIFY=False,
        COBOT_OIDC_REDIRECT_URI="https://portal.example/cobot/callback",
    )

    assert error.code == "settings_invalid"
    assert [problem.details["setting"] for problem in error.problems] == [
        "SECRET_KEY",
        "SESSION_COOKIE_SAMESITE",
        "COBOT_OIDC_VERIFY",
        "COBOT_OIDC_CLIENT_ID",
        "COBOT_OIDC_CLIENT_SECRET",
        "COBOT_OIDC_SCOPES",
        "COBOT_OIDC_LEEWAY",
        "SESSION_COOKIE_DOMAIN",
    ]
    assert str(error).splitlines()[1:] == [f"- {problem}" for problem in error.problems]
    assert "hunter2" not in str(error)
    for same in (error.copy(), copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own
        assert str(same) == str(error)


def test_a_single_problem_is_reported_as_itself() -> None:
    error = refusal(COBOT_OIDC_LEEWAY=301)

    assert error.code == "setting_invalid"
    assert error.problems == (error,)


def test_problems_of_what_belongs_together_are_all_found() -> None:
    error = refusal(
        COBOT_OIDC_SPACE_ISSUERS={"co-up": "https://my.co-up.de", "betahaus": "https://members.betahaus.de"},
        COBOT_OIDC_REDIRECT_URI="https://portal.example/callback",
    )

    assert [problem.details.get("space") for problem in error.problems] == ["'co-up'", "'betahaus'", None]


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"COBOT_OIDC_CLIENT_SECRET": "hunter2\n"}, "remove a line break at its end"),
        ({"COBOT_OIDC_CLIENT_SECRET": "hunter2\r\n"}, "remove a line break at its end"),
        ({"COBOT_OIDC_CLIENT_SECRET": "hunter2 "}, "remove a blank at its end"),
        ({"COBOT_OIDC_CLIENT_SECRET": " hunter2"}, "remove a blank at its beginning"),
        ({"COBOT_OIDC_CLIENT_ID": "portal\n"}, "remove a line break at its end"),
        ({"COBOT_OIDC_CLIENT_ID": 12345}, "double quotes"),
        ({"COBOT_OIDC_CLIENT_SECRET": 98765}, "double quotes"),
        ({"SECRET_KEY": 12345678901234567890123456789012345}, "letters"),
        ({"COBOT_OIDC_ISSUER": "www.cobot.me"}, "did you mean https://www.cobot.me?"),
        ({"COBOT_OIDC_ISSUER": "http://www.cobot.me"}, "did you mean https://www.cobot.me?"),
        ({"COBOT_OIDC_ISSUER": "https://www.cobot.me?x=1"}, "did you mean https://www.cobot.me?"),
        (
            {"COBOT_OIDC_ISSUER": "https://op.example/realms/a/.well-known/openid-configuration"},
            "did you mean https://op.example/realms/a?",
        ),
        (
            {"COBOT_OIDC_SPACE_ISSUER": "https://{space}.cobot.me/.well-known/openid-configuration"},
            "did you mean https://{space}.cobot.me?",
        ),
        (
            {"COBOT_OIDC_SPACE_ISSUERS": {"a": "https://a.cobot.me/.well-known/openid-configuration"}},
            "did you mean https://a.cobot.me?",
        ),
        ({"COBOT_OIDC_SCOPES": "openid,email"}, "put spaces between them"),
        ({"COBOT_OIDC_SPACES": "co-up, betahaus"}, "put spaces between them"),
        ({"COBOT_OIDC_DISCOVERY_URL": "https://op.example"}, "set COBOT_OIDC_ISSUER instead"),
        ({"COBOT_OIDC_METADATA_URL": "https://op.example"}, "set COBOT_OIDC_ISSUER instead"),
        ({"COBOT_OIDC_SERVER_METADATA_URL": "https://op.example"}, "set COBOT_OIDC_ISSUER instead"),
        ({"COBOT_OIDC_WELL_KNOWN_URL": "https://op.example"}, "set COBOT_OIDC_ISSUER instead"),
        ({"COBOT_OIDC_CALLBACK_URL": "https://portal.example"}, "set COBOT_OIDC_REDIRECT_URI instead"),
        ({"COBOT_OIDC_CLIENTID": "portal"}, "did you mean COBOT_OIDC_CLIENT_ID?"),
        ({"COBOT_OIDC_SCOPE": "openid"}, "did you mean COBOT_OIDC_SCOPES?"),
        ({"COBOT_OIDC_CLIENT_ID": ..., "COBOTOIDC_CLIENT_ID": "x"}, "did you mean COBOT_OIDC_CLIENT_ID?"),
        ({"COBOT_OIDC_CLIENT_ID": ..., "CLIENT_ID": "x"}, "CLIENT_ID is set: did you mean COBOT_OIDC_CLIENT_ID?"),
        ({"COBOT_OIDC_CLIENT_ID": ..., "OIDC_CLIENT_ID": "x"}, "OIDC_CLIENT_ID is set: did you mean COBOT_OIDC_CLIENT"),
        ({"COBOT_OIDC_client_secret": "hunter2"}, "did you mean COBOT_OIDC_CLIENT_SECRET?"),
        ({"cobot_oidc_leeway": 30}, "did you mean COBOT_OIDC_LEEWAY?"),
        ({"COBOT_OIDC_SPACES": "co-up.cobot.me betahaus"}, "did you mean co-up?"),
        ({"COBOT_OIDC_SPACES": ["https://co-up.cobot.me"]}, "did you mean co-up?"),
        ({"COBOT_OIDC_SPACES": ["Co-Up"]}, "did you mean co-up?"),
        ({"SECRET_KEY": True}, "true as a boolean"),
    ],
)
def test_a_common_mistake_is_named_with_what_was_meant(changes: dict[str, Any], remedy: str) -> None:
    error = refusal(**changes)

    assert remedy in str(error.details["remedy"])
    assert "hunter2" not in str(error)
    assert "98765" not in str(error)


@pytest.mark.parametrize(("secret", "found"), [(98765, "'an int, not shown'"), ([], "'a list, not shown'")])
def test_what_a_secret_is_has_its_article(secret: Any, found: str) -> None:
    assert refusal(COBOT_OIDC_CLIENT_SECRET=secret).details["found"] == found


def test_a_secret_key_that_was_left_empty_is_not_one_that_was_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", "")

    assert "set FLASK_SECRET_KEY to what that command prints" in str(refusal(SECRET_KEY=""))
    assert "from_prefixed_env" in str(refusal(SECRET_KEY=...))


def test_a_variable_without_flasks_prefix_is_noticed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("COBOT_OIDC_CLIENT_ID", "portal")
    monkeypatch.setenv("SECRET_KEY", "k" * 32)

    error = refusal(COBOT_OIDC_CLIENT_ID=..., SECRET_KEY=...)

    assert "set FLASK_COBOT_OIDC_CLIENT_ID" in str(error)
    assert "set FLASK_SECRET_KEY" in str(error)

    monkeypatch.setenv("COBOT_OIDC_REDIRECT_URI", "https://portal.example/cobot/callback")
    app = Flask("portal")
    app.config.update(GOOD)
    CobotOIDC(app)
    assert "FLASK_COBOT_OIDC_REDIRECT_URI" in caplog.text
    assert "COBOT_OIDC_CLIENT_ID" not in caplog.text


def test_an_environment_that_nobody_reads_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_COBOT_OIDC_CLIENT_ID", "portal")

    assert "from_prefixed_env()" in str(refusal(COBOT_OIDC_CLIENT_ID=...))


@pytest.mark.covers("M12")
def test_a_wrong_global_issuer_is_the_operators_mistake_and_no_missing_space(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_ISSUER=f"{cobot.issuer}/wrong"), cobot)

    page = visitor.get("/cobot/login")

    assert page.status_code == 500
    assert "no such space" not in page.text
    assert "issuer_not_found" in caplog.text
    assert "COBOT_OIDC_ISSUER" in caplog.text

    cobot.reply("metadata", status=404, issuer=cobot.space_issuer("co-up"))
    assert visitor.get("/cobot/login?space=co-up").status_code == 404  # M12
    assert "provider_not_found" in caplog.text
