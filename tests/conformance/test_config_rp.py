"""The modules of the Foundation's plan for Config RPs, each under its own name: discovery, and keys that rotate."""

import secrets
from typing import Any

import pytest
from flask import request

from cobot_oidc.standin import StandIn

from ..conftest import Clock
from .conftest import KEYS, TOKEN, RelyingParty

DOCUMENT = "/.well-known/openid-configuration"


@pytest.mark.module("oidcc-client-test-discovery-openid-config")
def test_oidcc_client_test_discovery_openid_config(relying_party: RelyingParty, cobot: StandIn) -> None:
    authorization_url = relying_party.begin("/desk")

    assert cobot.asked(DOCUMENT) == 1
    assert authorization_url.startswith(f"{cobot.issuer}/oauth/authorize?")
    relying_party.accepts()


@pytest.mark.module("oidcc-client-test-discovery-jwks-uri-keys")
def test_oidcc_client_test_discovery_jwks_uri_keys(relying_party: RelyingParty, cobot: StandIn) -> None:
    address = f"{KEYS}?run={secrets.token_hex(5)}"
    cobot.alter("metadata", {"jwks_uri": cobot.issuer + address})
    asked: list[str] = []

    def note(document: Any) -> Any:
        asked.append(request.full_path)
        return document

    cobot.alter("key_set", note)

    relying_party.accepts()
    assert asked == [address]


@pytest.mark.module("oidcc-client-test-discovery-issuer-mismatch")
def test_oidcc_client_test_discovery_issuer_mismatch(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("metadata", {"issuer": f"{cobot.issuer}/INVALID"})

    answer = relying_party.get("/cobot/login")

    assert (answer.status_code, relying_party.codes) == (502, ["metadata_issuer_mismatch"])
    assert {each.path for each in cobot.requests} == {DOCUMENT}


@pytest.mark.module("oidcc-client-test-signing-key-rotation-just-before-signing")
def test_oidcc_client_test_signing_key_rotation_just_before_signing(
    relying_party: RelyingParty, cobot: StandIn
) -> None:
    relying_party.accepts()
    callback = relying_party.answer(relying_party.begin("/cobot/login"))
    cobot.keys.rotate(keep_old=False)

    assert relying_party.get(callback).status_code == 303
    assert cobot.asked(KEYS) == 2


@pytest.mark.module("oidcc-client-test-signing-key-rotation")
def test_oidcc_client_test_signing_key_rotation(relying_party: RelyingParty, cobot: StandIn, clock: Clock) -> None:
    relying_party.accepts()
    relying_party.log_out()
    clock.move(5)
    cobot.keys.rotate(keep_old=False)

    relying_party.accepts()
    assert cobot.asked(KEYS) == 2
    assert cobot.asked(TOKEN) == 2
