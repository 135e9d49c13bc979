"""The modules of the Foundation's plan for Basic RPs, and those of its larger plan that concern the code flow."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask import request
from joserfc.jwk import ECKey

from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED, Part

from ..conftest import MakePortal
from .conftest import TOKEN, USERINFO, RelyingParty


@pytest.mark.module("oidcc-client-test")
def test_oidcc_client_test(relying_party: RelyingParty) -> None:
    asked = parse_qs(urlsplit(relying_party.begin("/desk")).query)
    assert asked["response_type"] == ["code"]
    assert "openid" in asked["scope"][0].split()
    assert re.fullmatch(r"[\w-]{43}", asked["nonce"][0], re.ASCII)

    relying_party.accepts()


@pytest.mark.module("oidcc-client-test-invalid-iss")
def test_oidcc_client_test_invalid_iss(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"iss": f"{cobot.issuer}/1"})

    relying_party.refuses("issuer_mismatch")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-missing-sub")
def test_oidcc_client_test_missing_sub(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"sub": REMOVED})

    relying_party.refuses("subject_malformed")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-invalid-aud")
def test_oidcc_client_test_invalid_aud(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"aud": "portal1"})

    relying_party.refuses("audience_mismatch")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-missing-aud")
def test_oidcc_client_test_missing_aud(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"aud": REMOVED})

    relying_party.refuses("audience_mismatch")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-missing-iat")
def test_oidcc_client_test_missing_iat(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"iat": REMOVED})

    relying_party.refuses("time_malformed")
    assert cobot.asked(USERINFO) == 0


def without_kids(document: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [{name: value for name, value in key.items() if name != "kid"} for key in document["keys"]]}


@pytest.mark.module("oidcc-client-test-kid-absent-single-jwks")
def test_oidcc_client_test_kid_absent_single_jwks(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.keys.rotate(keep_old=False)
    cobot.alter("key_set", without_kids)
    cobot.alter("id_token_header", {"kid": REMOVED})

    relying_party.accepts()


@pytest.mark.module("oidcc-client-test-kid-absent-multiple-jwks")
def test_oidcc_client_test_kid_absent_multiple_jwks(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.keys.rotate(keep_old=False)
    cobot.keys.rotate()
    cobot.alter("key_set", without_kids)
    cobot.alter("id_token_header", {"kid": REMOVED})

    relying_party.accepts()


@pytest.mark.module("oidcc-client-test-idtoken-sig-rs256")
def test_oidcc_client_test_idtoken_sig_rs256(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("metadata", {"id_token_signing_alg_values_supported": ["RS256"]})

    relying_party.accepts()


@pytest.mark.module("oidcc-client-test-idtoken-sig-none")
@pytest.mark.parametrize("listed", [["RS256", "none"], ["RS256"]])
def test_oidcc_client_test_idtoken_sig_none(relying_party: RelyingParty, cobot: StandIn, listed: list[str]) -> None:
    cobot.alter("metadata", {"id_token_signing_alg_values_supported": listed})
    cobot.alter("id_token", unsigned)

    relying_party.refuses("token_malformed")
    assert cobot.asked(USERINFO) == 0


def unsigned(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none")


def with_another_signature(token: str) -> str:
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{signature[:8]}{'A' if signature[8] != 'A' else 'B'}{signature[9:]}"


@pytest.mark.module("oidcc-client-test-invalid-sig-rs256")
def test_oidcc_client_test_invalid_sig_rs256(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token", with_another_signature)

    relying_party.refuses("signature_invalid")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-userinfo-invalid-sub")
def test_oidcc_client_test_userinfo_invalid_sub(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("userinfo", lambda claims: claims | {"sub": f"{claims['sub']}invalid"})

    relying_party.refuses("userinfo_unusable")


@pytest.mark.module("oidcc-client-test-nonce-invalid")
def test_oidcc_client_test_nonce_invalid(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", lambda claims: claims | {"nonce": f"{claims['nonce']}1"})

    relying_party.refuses("nonce_mismatch")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-scope-userinfo-claims")
def test_oidcc_client_test_scope_userinfo_claims(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"name": REMOVED, "email": REMOVED})

    asked = parse_qs(urlsplit(relying_party.begin("/desk")).query)
    assert {"openid", "profile", "email"} <= set(asked["scope"][0].split())

    page = relying_party.log_in("/desk")

    assert page.json is not None
    assert page.json["claims"]["email"] == cobot.people["ada"].email


@pytest.mark.module("oidcc-client-test-client-secret-basic")
def test_oidcc_client_test_client_secret_basic(make_portal: MakePortal, cobot: StandIn) -> None:
    asked = requests_for(cobot, "token")

    RelyingParty(make_portal(COBOT_OIDC_CLIENT_AUTH="client_secret_basic", COBOT_OIDC_USERINFO=True), cobot).accepts()

    [(headers, parameters)] = asked
    assert headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in parameters


@pytest.mark.module("oidcc-client-test-userinfo-bearer-header")
def test_oidcc_client_test_userinfo_bearer_header(relying_party: RelyingParty, cobot: StandIn) -> None:
    asked = requests_for(cobot, "userinfo")

    relying_party.accepts()

    [(headers, parameters)] = asked
    assert headers["Authorization"].startswith("Bearer ")
    assert parameters == {}


@pytest.mark.module("oidcc-client-test-invalid-sig-hs256")
def test_oidcc_client_test_invalid_sig_hs256(relying_party: RelyingParty, cobot: StandIn) -> None:
    def signed_with_a_shared_key(token: str) -> str:
        claims = jwt.decode(token, options={"verify_signature": False})
        return jwt.encode(
            claims, "a secret of thirty-two characters", algorithm="HS256", headers={"kid": cobot.keys.kid}
        )

    cobot.alter("metadata", {"id_token_signing_alg_values_supported": ["RS256", "HS256"]})
    cobot.alter("id_token", signed_with_a_shared_key)

    relying_party.refuses("algorithm_forbidden")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-invalid-sig-es256")
@pytest.mark.parametrize("is_valid", [True, False])
def test_oidcc_client_test_invalid_sig_es256(make_portal: MakePortal, cobot: StandIn, is_valid: bool) -> None:
    cobot.keys.use(ECKey.generate_key("P-256"), kid="ec-1", algorithm="ES256")
    cobot.alter("metadata", {"id_token_signing_alg_values_supported": ["ES256"]})
    relying_party = RelyingParty(make_portal(COBOT_OIDC_ALGORITHMS="ES256", COBOT_OIDC_USERINFO=True), cobot)
    if is_valid:
        relying_party.accepts()
        return
    cobot.alter("id_token", with_another_signature)

    with relying_party.noting_codes():
        relying_party.refuses("signature_invalid")
    assert cobot.asked(USERINFO) == 0


@pytest.mark.module("oidcc-client-test-ignores-unparseable-key-in-jwks")
def test_oidcc_client_test_ignores_unparseable_key_in_jwks(relying_party: RelyingParty, cobot: StandIn) -> None:
    unusable = [
        {"kty": "AKP", "kid": "later", "alg": "ML-DSA-99", "use": "sig", "pub": "AAAA"},
        {"kty": "invented", "kid": "never", "use": "sig", "x": "AAAA"},
    ]
    cobot.alter("key_set", lambda document: {"keys": [*unusable, *document["keys"]]})

    relying_party.accepts()


@pytest.mark.module("oidcc-client-test-form-post-error")
def test_oidcc_client_test_form_post_error(relying_party: RelyingParty, cobot: StandIn) -> None:
    state = parse_qs(urlsplit(relying_party.begin("/desk")).query)["state"][0]

    posted = relying_party.browser.post("/cobot/callback", data={"state": state, "error": "login_required"})
    assert posted.status_code == 405

    answer = relying_party.get("/cobot/callback", query_string={"state": state, "error": "login_required"})
    assert (answer.status_code, relying_party.codes) == (403, ["interaction_required"])
    assert cobot.asked(TOKEN) == 0


def requests_for(cobot: StandIn, part: Part) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Headers and parameters of the requests for something, as they will arrive at the stand-in."""
    noted: list[tuple[dict[str, str], dict[str, str]]] = []

    def note(document: Any) -> Any:
        noted.append((dict(request.headers), request.values.to_dict()))
        return document

    cobot.alter(part, note)
    return noted
