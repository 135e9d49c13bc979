"""The tokens that the specifications print as examples: RFC 7515, 7520, 7797 and 8037."""

import json
from pathlib import Path
from typing import Any

import pytest

from cobot_oidc.protocol import KeySet, TokenError, verify_jws

EXAMPLES = json.loads(Path(__file__).with_name("rfc_examples.json").read_text())


@pytest.mark.parametrize("example", EXAMPLES["accepted"], ids=lambda example: example["source"])
def test_an_example_verifies(example: dict[str, Any]) -> None:
    keys = KeySet.parse({"keys": [example["key"]]})

    assert verify_jws(example["token"], keys, algorithms=(example["alg"],)).header["alg"] == example["alg"]


@pytest.mark.covers("J04", "J23")
@pytest.mark.parametrize("example", EXAMPLES["accepted"], ids=lambda example: example["source"])
def test_an_example_verifies_with_no_other_algorithm_or_key(example: dict[str, Any]) -> None:
    keys = KeySet.parse({"keys": [example["key"]]})
    others = KeySet.parse(
        {
            "keys": [
                {**other["key"], "kid": example["key"].get("kid", "k")}
                for other in EXAMPLES["accepted"]
                if other["key"] != example["key"]
            ]
        }
    )
    every = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

    with pytest.raises(TokenError):
        verify_jws(example["token"], keys, algorithms=tuple(name for name in every if name != example["alg"]))
    with pytest.raises(TokenError):
        verify_jws(example["token"], others, algorithms=(example["alg"],))


@pytest.mark.covers("J01", "J03", "J11", "J13", "J14")
@pytest.mark.parametrize("example", EXAMPLES["refused"], ids=lambda example: example["source"])
def test_an_example_of_what_no_id_token_is_is_refused(example: dict[str, Any]) -> None:
    keys = KeySet.parse({"keys": [accepted["key"] for accepted in EXAMPLES["accepted"]]})

    with pytest.raises(TokenError) as caught:
        verify_jws(example["token"], keys)
    assert caught.value.code == example["code"]
