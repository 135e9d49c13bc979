"""Who vouches for which space: what the configuration may say about it, and what follows for each space."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, ConfigurationError, from_view_arg
from cobot_oidc.issuers import Issuers
from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor

GOOD = {"SECRET_KEY": "k" * 32, "COBOT_OIDC_CLIENT_ID": "portal", "COBOT_OIDC_CLIENT_SECRET": "of-the-portal"}
CUSTOM = "https://my.co-up.de"
OWN = {"issuer": CUSTOM, "client_id": "own", "client_secret": "of-our-own"}


def set_up(**changes: Any) -> Flask:
    app = Flask("portal")
    app.config.update(GOOD | {f"COBOT_OIDC_{name}": value for name, value in changes.items()})
    CobotOIDC(app, space=from_view_arg("space"))
    return app


def issuers(**changes: Any) -> Issuers:
    found: Issuers = set_up(**changes).extensions["cobot_oidc"].settings.issuers
    return found


def refusal(**changes: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        set_up(**changes)
    return caught.value


@pytest.mark.covers("X01")
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (CUSTOM, "client_id"),
        ({"issuer": CUSTOM}, "client_id"),
        ({"issuer": CUSTOM, "client_secret": "of-our-own"}, "client_id"),
        ({"issuer": CUSTOM, "client_id": "portal", "client_secret": "of-the-portal"}, "only this issuer knows"),
        ({"issuer": CUSTOM, "client_id": "own", "client_secret": "of-the-portal"}, "only this issuer knows"),
        (OWN | {"allowed_hosts": ["www.cobot.me"]}, "outside the provider's domain"),
        (OWN | {"allowed_hosts": [".cobot.me"]}, "outside the provider's domain"),
        (OWN | {"allowed_hosts": [".me"]}, "outside the provider's domain"),
        (OWN | {"allowed_hosts": ["https://login.co-up.de"]}, "host names"),
        (OWN | {"client_auth": "none"}, "client_secret_post"),
        (OWN | {"client_auth": "private_key_jwt"}, "client_secret_post"),
        (OWN | {"client_id": 12345}, "text"),
        (OWN | {"secret": "of-our-own"}, "dictionary of issuer"),
        ({"client_id": "own"}, "dictionary of issuer"),
        (7, "dictionary of issuer"),
        ({"issuer": "https://www.cobot.me", "client_id": "own"}, "other than ISSUER"),
        ({"issuer": "https://co-up.cobot.me", "allowed_hosts": ["login.co-up.de"]}, "COBOT_OIDC_ALLOWED_HOSTS"),
    ],
)
def test_an_outside_issuer_without_a_client_of_its_own_is_refused(entry: Any, said: str) -> None:
    error = refusal(SPACES=["co-up"], SPACE_ISSUERS={"co-up": entry})

    assert error.details["setting"] == "COBOT_OIDC_SPACE_ISSUERS"
    assert "co-up" in str(error)
    assert said in str(error)
    assert "of-our-own" not in str(error)
    assert "of-the-portal" not in str(error)


@pytest.mark.covers("X01")
@pytest.mark.parametrize("hosts", [["my.co-up.de"], [".co-up.de"], ["oauth2.googleapis.com", "login.co-up.de"]])
def test_a_host_of_an_outside_issuer_is_not_allowed_to_the_provider(hosts: list[str]) -> None:  # RFC 9700 4.4
    outside = OWN | {"allowed_hosts": ["login.co-up.de"]}

    error = refusal(SPACES=["co-up"], SPACE_ISSUERS={"co-up": outside}, ALLOWED_HOSTS=hosts)

    assert error.details["setting"] == "COBOT_OIDC_ALLOWED_HOSTS"
    assert "co-up" in str(error)


def test_two_outside_issuers_do_not_share_a_secret() -> None:
    two = {"co-up": OWN, "betahaus": OWN | {"issuer": "https://members.betahaus.de"}}

    assert "betahaus" in str(refusal(SPACES="*", SPACE_ISSUERS=two))


def test_two_spaces_do_not_share_an_issuer() -> None:
    two = {"co-up": OWN, "betahaus": OWN | {"client_secret": "another"}}

    assert "issuer of its own" in str(refusal(SPACES="*", SPACE_ISSUERS=two))


@pytest.mark.covers("X01")
def test_an_outside_issuer_has_client_callback_and_hosts_of_its_own() -> None:
    outside = OWN | {"client_auth": "client_secret_basic", "allowed_hosts": ["login.co-up.de"]}
    registration = issuers(SPACES=["co-up"], SPACE_ISSUERS={"co-up": outside}).registration_of("co-up")

    assert registration is not None
    assert registration.issuer == CUSTOM
    assert registration.client.client_id == "own"
    assert registration.client.client_secret == "of-our-own"
    assert registration.client.authentication == "client_secret_basic"
    assert registration.callback == "co-up"
    assert registration.allowed_hosts == ("login.co-up.de",)
    assert registration.is_named
    assert "of-our-own" not in repr(registration)


def test_an_outside_issuer_may_know_us_as_a_public_client() -> None:
    outside = {"issuer": CUSTOM, "client_id": "own"}
    registration = issuers(SPACES=["co-up"], SPACE_ISSUERS={"co-up": outside}).registration_of("co-up")

    assert registration is not None
    assert registration.client.client_secret is None
    assert registration.client.authentication == "none"
    assert registration.allowed_hosts == ()


@pytest.mark.parametrize(
    ("changes", "issuer"),
    [
        ({}, "https://co-up.cobot.me"),
        ({}, "https://cobot.me"),
        ({"ISSUER": "https://op.example", "SPACE_ISSUER": "https://op.example/{space}"}, "https://op.example/old"),
        ({"ISSUER": "https://op.example", "SPACE_ISSUER": "https://in.example/{space}"}, "https://in.example/old"),
        ({"ISSUER": "https://op.example"}, "https://op.example/realms/co-up"),
    ],
)
def test_inside_the_providers_domain_the_issuer_alone_is_enough(changes: dict[str, Any], issuer: str) -> None:
    registration = issuers(SPACES=["berlin"], SPACE_ISSUERS={"berlin": issuer}, **changes).registration_of("berlin")

    assert registration is not None
    assert registration.issuer == issuer
    assert registration.client.client_id == "portal"
    assert registration.callback is None


@pytest.mark.parametrize(
    ("changes", "issuer"),
    [
        ({}, "https://cobot.me.evil.example"),
        ({}, "https://evilcobot.me"),
        ({"ISSUER": "https://op.example", "SPACE_ISSUER": "https://op.example/{space}"}, "https://x.op.example"),
        ({"SPACE_ISSUER": None}, "https://co-up.cobot.me"),
    ],
)
def test_what_only_looks_like_the_providers_domain_is_outside(changes: dict[str, Any], issuer: str) -> None:
    error = refusal(SPACES=["berlin"], SPACE_ISSUERS={"berlin": issuer}, **changes)

    assert error.details["missing"] == "'client_id'"


@pytest.mark.covers("X02")
def test_without_a_list_of_spaces_none_is_served(caplog: pytest.LogCaptureFixture) -> None:
    for unset in ({}, {"SPACES": None}):
        caplog.clear()
        found = issuers(SPACE_ISSUERS={"co-up": OWN}, **unset)

        assert found.issuer_of("betahaus") is None
        assert found.issuer_of("co-up") is None
        assert found.registration_of("co-up") is None
        assert found.issuer_of(None) == "https://www.cobot.me"
        assert "set COBOT_OIDC_SPACES" in caplog.text
        assert "COBOT_OIDC_SPACE_ISSUERS names co-up" in caplog.text


@pytest.mark.covers("X02")
def test_only_the_asterisk_serves_every_space(make_portal: MakePortal, cobot: StandIn) -> None:
    assert Visitor(make_portal(COBOT_OIDC_SPACES=None), cobot).get("/co-up/desk").status_code == 404
    assert Visitor(make_portal(COBOT_OIDC_SPACES="*"), cobot).log_in("/co-up/desk").status_code == 200
    assert cobot.asked("/.well-known/openid-configuration") == 1
    assert refusal(SPACES=["*"]).details["setting"] == "COBOT_OIDC_SPACES"


@pytest.mark.parametrize(
    ("spaces", "is_named"), [(["co-up"], True), (lambda: ["co-up"], True), (lambda _: True, True), ("*", False)]
)
def test_a_space_that_only_the_asterisk_admits_is_named_by_nobody(spaces: Any, is_named: bool) -> None:
    found = issuers(SPACES=spaces, SPACE_ISSUERS={"nebenan": "https://nebenan-berlin.cobot.me"})
    everywhere, template, exception = (found.registration_of(space) for space in (None, "co-up", "nebenan"))

    assert everywhere is not None
    assert everywhere.is_named
    assert template is not None
    assert template.is_named is is_named
    assert exception is None or exception.is_named


@pytest.mark.parametrize(
    ("changes", "space"),
    [
        ({"ISSUER": "https://login.op.example", "SPACE_ISSUER": "https://{space}.op.example"}, "login"),
        ({"ISSUER": "https://login.op.example/main", "SPACE_ISSUER": "https://{space}.op.example"}, "login"),
        ({"ISSUER": "https://op.example/main", "SPACE_ISSUER": "https://op.example/{space}"}, "main"),
        ({"SPACE_ISSUERS": {"berlin": "https://co-up.cobot.me"}}, "co-up"),
    ],
)
def test_no_issuer_vouches_for_two_names(changes: dict[str, Any], space: str) -> None:
    found = issuers(SPACES="*", **changes)

    assert found.issuer_of(space) is None
    assert found.registration_of(space) is None
    assert found.issuer_of("betahaus") is not None


def test_an_exception_may_say_what_the_template_says() -> None:
    assert issuers(SPACES="*", SPACE_ISSUERS={"co-up": "https://co-up.cobot.me"}).issuer_of("co-up") is not None


def test_a_function_that_returns_a_text_lists_whole_names() -> None:
    found = issuers(SPACES=lambda: "co-up betahaus")

    assert found.issuer_of("co-up") is not None
    assert found.issuer_of("beta") is None


@pytest.mark.parametrize("takes_space", [True, False])
def test_the_apps_own_function_is_asked_once_for_a_request(
    make_portal: MakePortal, cobot: StandIn, takes_space: bool
) -> None:
    asked: list[str] = []

    def one(space: str) -> bool:
        asked.append(space)
        return True

    def all_of_them() -> list[str]:
        asked.append("co-up")
        return ["co-up"]

    spaces: Callable[..., Any] = one if takes_space else all_of_them
    portal = make_portal(COBOT_OIDC_SPACES=spaces)
    visitor = Visitor(portal, cobot)

    url = visitor.get("/co-up/desk").location
    assert asked == ["co-up"]
    authorization_url = visitor.get(url).location
    assert asked == ["co-up"] * 2
    visitor.get(visitor.answer(authorization_url))
    assert asked == ["co-up"] * 3
    assert visitor.sees("/co-up/open") is not None
    assert asked == ["co-up"] * 4


def test_a_list_that_leaves_out_an_exception_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        set_up(SPACES=["betahaus"], SPACE_ISSUERS={"co-up": OWN})

    assert "COBOT_OIDC_SPACE_ISSUERS names co-up" in caplog.text
