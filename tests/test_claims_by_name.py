"""What ``StandardClaims`` tells type checkers is true: each claim has its type, or is absent (OIDC Core 5.1)."""

from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest
from flask import Flask, jsonify

from cobot_oidc import StandardClaims, current_user
from cobot_oidc.standin import StandIn

from .conftest import MakePortal, Visitor

OF_THEIR_TYPE: StandardClaims = {
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "middle_name": "Augusta",
    "nickname": "Ada",
    "preferred_username": "ada",
    "profile": "https://ada.example",
    "picture": "https://ada.example/ada.png",
    "website": "https://ada.example/",
    "email": "ada@example.com",
    "email_verified": True,
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+44 20 0000",
    "phone_number_verified": False,
    "address": {"country": "UK"},
    "updated_at": 1_800_000_000,
    "auth_time": 1_799_999_990,
    "acr": "0",
    "amr": ["pwd"],
}
OF_OTHERS: dict[object, list[object]] = {
    str: [7, True, ["text"], {"text": 1}, None],
    bool: [1, "true", None],
    float: ["1", True, None],
    Mapping[str, object]: ["text", ["text"], None],
    list[str]: ["text", [7], {"text": 1}, None],
}


@pytest.fixture
def portal(make_portal: MakePortal) -> Flask:
    portal = make_portal(COBOT_OIDC_CLAIMS=[*OF_THEIR_TYPE, "company"])
    portal.add_url_rule("/claims", "claims", lambda: jsonify(dict(current_user.claims)))
    return portal


def claims_of(portal: Flask, cobot: StandIn, claims: Any) -> Any:
    cobot.alter("id_token_claims", claims)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/desk")
    return visitor.get("/claims").json


def test_each_claim_is_there_under_its_name(portal: Flask, cobot: StandIn) -> None:
    ada = cobot.people["ada"].subject
    own = {"iss": cobot.issuer, "sub": ada}

    assert claims_of(portal, cobot, OF_THEIR_TYPE | {"company": "Engines"}) == {
        **own,
        **OF_THEIR_TYPE,
        "company": "Engines",
    }
    assert set(get_type_hints(StandardClaims)) == {*own, *OF_THEIR_TYPE}


@pytest.mark.parametrize("turn", range(5))
def test_a_claim_of_another_type_is_absent(portal: Flask, cobot: StandIn, turn: int) -> None:
    spoilt: dict[str, object] = {}
    types = get_type_hints(StandardClaims)
    for name in OF_THEIR_TYPE:
        others = OF_OTHERS[types[name]]
        if name != "auth_time":  # a login with a wrong one is refused
            spoilt[name] = others[turn % len(others)]

    claims = claims_of(portal, cobot, spoilt)

    assert set(claims) & set(spoilt) == set()


def test_the_claims_of_nobody_are_none(portal: Flask) -> None:
    assert portal.test_client().get("/claims").json == {}
