"""A space's own domain is somebody else's: what its issuer can and cannot do (RFC 9700 section 4.4, X01, X02)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from cobot_oidc import CobotOIDCError, login_failed
from cobot_oidc.standin import StandIn

from .conftest import CALLBACK, Clock, MakePortal, Visitor
from .provider.issuer import Issuer, running

OWN_SECRET = "s3cret-of-the-own-domain"


@pytest.fixture
def members(cobot: StandIn) -> str:
    """The issuer of co.up, which has a domain of its own."""
    cobot.domains["members.localhost"] = "co-up"
    cobot.register_client(
        "members", secret=OWN_SECRET, redirect_uri=f"{CALLBACK}/co-up", name="The portal, at the space's own domain"
    )
    return f"http://members.localhost:{cobot.port}"


@pytest.fixture
def own_domain(members: str, make_portal: MakePortal) -> Flask:
    """A portal whose space co-up has an issuer on a domain of its own."""
    own = {"issuer": members, "client_id": "members", "client_secret": OWN_SECRET}
    return make_portal(COBOT_OIDC_SPACE_ISSUERS={"co-up": own})


@pytest.fixture
def hostile(clock: Clock) -> Iterator[Issuer]:
    """An issuer on a domain of its own whose owner is up to something."""
    with running(clock) as issuer:
        yield issuer


@pytest.fixture
def betrayed(hostile: Issuer, make_portal: MakePortal) -> Flask:
    """A portal that trusts the hostile issuer with its own members."""
    own = {"issuer": hostile.url, "client_id": "client", "client_secret": "s3cret-for-the-hostile"}
    return make_portal(COBOT_OIDC_SPACE_ISSUERS={"shed": own})


def codes(portal: Flask) -> Any:
    heard: list[str] = []

    def hear(_app: Flask, error: CobotOIDCError) -> None:
        heard.append(error.code)

    return heard, login_failed.connected_to(hear, portal)


def forwarded(authorization_url: str, cobot: StandIn, **changes: str) -> str:
    """The request that the person came with, as a hostile issuer sends them on to honest Cobot."""
    came_with = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
    sent = came_with | {"client_id": "portal", "redirect_uri": CALLBACK, "nonce": "n" * 43, "code_challenge": "c" * 43}
    return f"{cobot.issuer}/oauth/authorize?{urlencode(sent | changes)}"


def test_a_space_with_a_domain_of_its_own_has_a_client_and_a_callback_of_its_own(
    own_domain: Flask, members: str, cobot: StandIn
) -> None:
    visitor = Visitor(own_domain, cobot)
    url = visitor.begin("/co-up/desk")
    asked = parse_qs(urlsplit(url).query)

    assert url.startswith(f"{members}/oauth/authorize?")
    assert asked["client_id"] == ["members"]
    assert asked["redirect_uri"] == [f"{CALLBACK}/co-up"]
    assert visitor.get(visitor.answer(url)).location == "/co-up/desk"
    assert visitor.get("/co-up/desk").status_code == 200
    assert Visitor(own_domain, cobot).log_in("/betahaus/desk", "nina").status_code == 200


@pytest.mark.covers("X01")
def test_a_hostile_issuer_gets_no_code_and_no_secret_of_honest_cobot(
    betrayed: Flask, hostile: Issuer, cobot: StandIn
) -> None:
    visitor = Visitor(betrayed, cobot)
    begun = visitor.begin("/cobot/login?space=shed")
    assert begun.startswith(hostile.url)
    honest_answer = visitor.answer(forwarded(begun, cobot))
    assert honest_answer.startswith(f"{CALLBACK}?")
    heard, listening = codes(betrayed)

    with listening:
        page = visitor.get(honest_answer)

    assert page.status_code == 400
    assert heard == ["callback_mismatch"]
    assert hostile.asked["/token"] == 0
    assert cobot.asked("/oauth/access_token") == 0
    assert visitor.sees("/") is None
    # Nor does the code serve at the callback that the hostile issuer has.
    again = visitor.get(honest_answer.replace("/callback?", "/callback/shed?"))
    assert again.status_code == 400
    assert hostile.asked["/token"] == 0


@pytest.mark.covers("X01")
@pytest.mark.parametrize(
    "path",
    [
        "/cobot/callback",
        "/cobot/callback/betahaus",
        "/cobot/callback/www",
        "/cobot/callback/CO-UP",
        "/cobot/callback/co-up%2f",
        "/cobot/callback/co%2dup/",
    ],
)
def test_an_answer_counts_at_the_callback_that_its_login_named_alone(
    own_domain: Flask, cobot: StandIn, path: str
) -> None:
    visitor = Visitor(own_domain, cobot)
    answer = visitor.answer(visitor.begin("/co-up/desk"))

    assert visitor.get(answer.replace("/cobot/callback/co-up", path)).status_code in (400, 404)

    assert cobot.asked("/oauth/access_token") == 0
    assert visitor.sees("/co-up/open") is None


@pytest.mark.covers("X01")
def test_an_answer_of_honest_cobot_does_not_count_at_a_space_s_own_callback(own_domain: Flask, cobot: StandIn) -> None:
    visitor = Visitor(own_domain, cobot)
    answer = visitor.answer(visitor.begin("/desk"))
    heard, listening = codes(own_domain)

    with listening:
        assert visitor.get(answer.replace("/callback?", "/callback/co-up?")).status_code == 400

    assert heard == ["callback_mismatch"]
    assert cobot.asked("/oauth/access_token") == 0


@pytest.mark.covers("R09", "X01")
@pytest.mark.parametrize(
    "endpoint",
    [
        *("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"),
        *("pushed_authorization_request_endpoint", "revocation_endpoint"),
    ],
)
def test_the_document_of_an_own_domain_does_not_point_into_cobot_nor_cobot_s_out_of_it(
    own_domain: Flask, members: str, cobot: StandIn, endpoint: str
) -> None:
    for issuer, elsewhere, page in ((members, cobot.issuer, "/co-up/desk"), (cobot.issuer, members, "/desk")):
        cobot.alter("metadata", {endpoint: f"{elsewhere}/oauth/x"}, issuer=issuer)
        heard, listening = codes(own_domain)
        with listening:
            assert Visitor(own_domain, cobot).get(f"/cobot/login?next={page}&space={page[1:-5]}").status_code == 502
        assert heard == ["endpoint_forbidden"]


@pytest.mark.covers("R10", "X01")
@pytest.mark.parametrize("port", [22, 80, 6379, 8443])
@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_document_names_no_other_port_than_the_issuer_s_or_443(
    portal: Flask, visitor: Visitor, cobot: StandIn, endpoint: str, port: int
) -> None:
    cobot.alter("metadata", {endpoint: f"http://www.cobot.localhost:{port}/x"})
    heard, listening = codes(portal)

    with listening:
        assert visitor.get("/cobot/login").status_code == 502

    assert heard == ["endpoint_forbidden"]


@pytest.mark.covers("X02")
def test_no_space_is_served_unless_the_app_says_so(make_portal: MakePortal, cobot: StandIn) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_SPACES=None), cobot)

    assert visitor.get("/cobot/login?space=co-up").status_code == 404
    assert visitor.get("/co-up/desk").status_code == 404
    assert visitor.log_in("/desk").status_code == 200
    assert {request.host for request in cobot.requests} == {f"www.cobot.localhost:{cobot.port}"}


@pytest.mark.covers("F14", "X01")
def test_spaces_at_the_same_moment_keep_to_their_own_callbacks(own_domain: Flask, cobot: StandIn) -> None:
    visitor = Visitor(own_domain, cobot)
    of_co_up = visitor.answer(visitor.begin("/co-up/desk"), "grace")
    of_betahaus = visitor.answer(visitor.begin("/betahaus/desk"), "grace")
    code, other = (parse_qs(urlsplit(answer).query)["code"][0] for answer in (of_co_up, of_betahaus))

    assert visitor.get(of_co_up.replace(code, other)).status_code == 400
    assert visitor.get(of_betahaus.replace(other, code)).status_code == 400
    assert visitor.sees("/co-up/open") is None
    assert visitor.sees("/betahaus/open") is None
