"""Userinfo that is signed (OpenID Connect Core 5.3.2): verified as an id token is, and never downgraded."""

from typing import Any

import jwt
import pytest
from flask import Flask
from joserfc.jwk import ECKey

from cobot_oidc import CobotOIDC
from cobot_oidc.errors import CobotOIDCError, ConfigurationError
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED
from cobot_oidc.standin.keys import rsa_key

from .conftest import SECRET_KEY, Clock, MakePortal, Visitor


@pytest.fixture
def signing(cobot: StandIn) -> StandIn:
    """A stand-in whose email and name are in the signed userinfo alone."""
    cobot.sign_userinfo()
    cobot.alter("id_token_claims", {"email": REMOVED, "name": REMOVED})
    return cobot


def fails(visitor: Visitor, login_failures: list[CobotOIDCError]) -> str:
    response = visitor.get(visitor.answer(visitor.begin("/desk")))
    assert response.status_code >= 500
    assert visitor.sees("/") is None
    [error] = login_failures
    return error.code


@pytest.mark.module("oidcc-client-test-userinfo-signed")
@pytest.mark.parametrize("setting", [True, "signed"])
def test_what_a_signed_userinfo_says_is_kept(make_portal: MakePortal, signing: StandIn, setting: Any) -> None:
    page = Visitor(make_portal(COBOT_OIDC_USERINFO=setting), signing).log_in("/desk")

    assert page.json is not None
    assert page.json["claims"]["email"] == "ada@example.org"


@pytest.mark.covers("P11")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://elsewhere.example"}, "issuer_mismatch"),
        ({"iss": REMOVED}, "issuer_mismatch"),
        ({"aud": "another"}, "audience_mismatch"),
        ({"aud": REMOVED}, "audience_mismatch"),
        ({"aud": ["portal", "another"]}, "audience_untrusted"),
        ({"azp": "another"}, "authorized_party_mismatch"),
        ({"sub": "somebody"}, "userinfo_unusable"),
        ({"sub": REMOVED}, "subject_malformed"),
        ({"exp": 1_799_999_000}, "expired"),
        ({"exp": "soon"}, "time_malformed"),
        ({"iat": 1_800_000_100}, "clock_skew"),
        ({"iat": 1_799_999_000}, "issued_too_long_ago"),
        ({"nbf": 1_800_000_100}, "not_yet_valid"),
        ({"nonce": "n"}, "token_type_wrong"),
        ({"at_hash": "h"}, "token_type_wrong"),
        ({"events": {}}, "token_type_wrong"),
    ],
)
def test_a_signed_answer_for_something_else_is_no_login(
    make_portal: MakePortal, signing: StandIn, login_failures: list[CobotOIDCError], changes: dict[str, Any], code: str
) -> None:
    signing.alter("userinfo", changes)

    assert fails(Visitor(make_portal(COBOT_OIDC_USERINFO=True), signing), login_failures) == code
    assert login_failures[0].details.get("of", "'the userinfo response'") == "'the userinfo response'"


def test_times_that_are_there_and_right_are_no_obstacle(
    make_portal: MakePortal, signing: StandIn, clock: Clock
) -> None:
    now = int(clock())
    signing.alter("userinfo", {"iat": now, "nbf": now, "exp": now + 60, "aud": ["portal"], "azp": "portal"})

    assert Visitor(make_portal(COBOT_OIDC_USERINFO="signed"), signing).log_in("/desk").status_code == 200


KINDS_OF_OTHER_TOKENS = [
    *("at+jwt", "application/at+jwt", "logout+jwt", "token-introspection+jwt", "secevent+jwt", "dpop+jwt"),
    *("oauth-authz-req+jwt", "client-authentication+jwt", "xuserinfo+jwt", "userinfo", 5),
]


@pytest.mark.covers("P11", "J22")
@pytest.mark.parametrize("typ", KINDS_OF_OTHER_TOKENS)
def test_a_signed_token_of_another_kind_is_no_userinfo(
    make_portal: MakePortal, signing: StandIn, login_failures: list[CobotOIDCError], typ: Any
) -> None:
    signed = jwt.encode(
        {"iss": signing.issuer, "aud": "portal", "sub": signing.people["ada"].subject},
        signing.keys.signing_key.as_pem(private=True),
        "RS256",
        headers={"kid": signing.keys.kid, "typ": typ},
    )
    signing.alter("userinfo_jwt", lambda _: signed)

    assert fails(Visitor(make_portal(COBOT_OIDC_USERINFO=True), signing), login_failures) == "token_type_wrong"


@pytest.mark.covers("P11", "J01", "J23")
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text[:-6] + "AAAAAA", "signature_invalid"),
        (lambda text: f"{text.partition('.')[0]}.{text.split('.')[1][:-4]}e30.{text.split('.')[2]}", None),
        (lambda text: "eyJhbGciOiJub25lIn0." + text.split(".")[1] + ".", "token_malformed"),
        (lambda text: "eyJhbGciOiJub25lIn0." + text.split(".")[1] + ".AA", "algorithm_forbidden"),
        (lambda text: f" {text}", "token_malformed"),
        (lambda text: f"{text}\n", "token_malformed"),
        (lambda _: "", "token_malformed"),
        (lambda _: "ä.b.c", "token_malformed"),
        (lambda _: "a" * 17_000, "token_too_large"),
        (lambda _: '{"sub": "ada"}', "token_malformed"),
        (lambda text: f"{text}..", "userinfo_encrypted"),
    ],
)
def test_what_no_key_of_the_provider_signed_is_no_login(
    make_portal: MakePortal, signing: StandIn, login_failures: list[CobotOIDCError], spoil: Any, code: str | None
) -> None:
    signing.alter("userinfo_jwt", spoil)

    found = fails(Visitor(make_portal(COBOT_OIDC_USERINFO=True), signing), login_failures)

    assert found == code if code else found in ("payload_malformed", "token_malformed", "signature_invalid")


@pytest.mark.covers("P11", "J03")
def test_the_public_key_is_no_shared_secret(
    make_portal: MakePortal, signing: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    claims = {"iss": signing.issuer, "aud": "portal", "sub": signing.people["ada"].subject}
    signing.alter("userinfo_jwt", lambda _: jwt.encode(claims, "s3cret-of-the-portal" * 2, "HS256"))

    assert fails(Visitor(make_portal(COBOT_OIDC_USERINFO=True), signing), login_failures) == "algorithm_forbidden"


@pytest.mark.covers("P11", "J04")
def test_the_algorithms_are_the_configured_ones_narrowed_by_the_document(
    make_portal: MakePortal, signing: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    listed = {"userinfo_signing_alg_values_supported": ["ES256", "none"]}
    signing.alter("metadata", listed)
    both = make_portal(COBOT_OIDC_USERINFO=True, COBOT_OIDC_ALGORITHMS="RS256 ES256")

    assert fails(Visitor(both, signing), login_failures) == "algorithm_forbidden"
    login_failures.clear()
    assert fails(Visitor(make_portal(COBOT_OIDC_USERINFO=True), signing), login_failures) == "algorithms_disjoint"


def test_another_algorithm_is_for_who_configures_it(make_portal: MakePortal, signing: StandIn) -> None:
    signing.keys.use(ECKey.generate_key("P-256"), kid="ec", algorithm="ES256")
    signing.alter("metadata", {"id_token_signing_alg_values_supported": ["ES256"]})
    portal = make_portal(COBOT_OIDC_USERINFO="signed", COBOT_OIDC_ALGORITHMS="ES256")

    assert Visitor(portal, signing).log_in("/desk").status_code == 200


@pytest.mark.covers("P11", "K08")
def test_a_key_that_was_rotated_in_between_costs_one_fetch(make_portal: MakePortal, signing: StandIn) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_USERINFO="signed"), signing)
    answer = visitor.answer(visitor.begin("/desk"))

    def rotate(header: dict[str, Any]) -> dict[str, Any]:
        return {**header, "kid": signing.keys.rotate(keep_old=False)}

    signing.alter("userinfo_header", rotate, times=1)

    assert visitor.get(answer).status_code == 303
    assert signing.asked("/jwks.json") == 2


@pytest.mark.covers("P11", "K21")
def test_a_key_of_somebody_else_s_is_refused_and_costs_no_more_fetches_than_for_an_id_token(
    make_portal: MakePortal, signing: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    claims = {"iss": signing.issuer, "aud": "portal", "sub": signing.people["ada"].subject}
    forged = jwt.encode(claims, rsa_key(7).as_pem(private=True), "RS256", headers={"kid": signing.keys.kid})
    signing.alter("userinfo_jwt", lambda _: forged)

    assert fails(Visitor(make_portal(COBOT_OIDC_USERINFO=True), signing), login_failures) == "signature_invalid"
    assert signing.asked("/jwks.json") == 2


@pytest.mark.covers("P12")
@pytest.mark.parametrize("content_type", ["application/json", "application/jwt+json", "text/html", ""])
def test_where_it_has_to_be_signed_nothing_else_is_taken(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError], content_type: str
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_USERINFO="signed"), cobot)
    cobot.reply("userinfo", headers={"Content-Type": content_type})

    assert fails(visitor, login_failures) == ("userinfo_not_signed" if "json" in content_type else "userinfo_unusable")


@pytest.mark.covers("P12")
def test_a_type_with_a_parameter_is_that_type(make_portal: MakePortal, signing: StandIn) -> None:
    signing.reply("userinfo", headers={"Content-Type": "Application/JWT; charset=utf-8"})

    assert Visitor(make_portal(COBOT_OIDC_USERINFO="signed"), signing).log_in("/desk").status_code == 200


@pytest.mark.parametrize("setting", ["yes", 1, None, "SIGNED"])
def test_a_setting_that_is_neither(setting: Any) -> None:
    app = Flask("portal")
    app.config.update(SECRET_KEY=SECRET_KEY, COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_USERINFO=setting)

    with pytest.raises(ConfigurationError, match="signed"):
        CobotOIDC(app)
