"""Which algorithm a key verifies with: the token's own, if configuration and key allow it (RFC 8725, RFC 9864)."""

from typing import Any

import pytest

from cobot_oidc.protocol import KeySet, ProviderMetadata, TokenError
from cobot_oidc.protocol.discovery import narrow_algorithms

from .tokens import ISSUER, REMOVED, ec_key, ed_key, jwk, key_set, rsa_key, token, verify

NO_ALG = {"alg": REMOVED}


def refused(signed: str, keys: KeySet, code: str, **options: Any) -> None:
    with pytest.raises(TokenError) as caught:
        verify(signed, keys, **options)
    assert caught.value.code == code


@pytest.mark.parametrize("configured", [("RS256", "PS256"), ("PS256", "RS256")])
@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_a_key_without_alg_verifies_what_the_token_names(alg: str, configured: tuple[str, ...]) -> None:
    keys = key_set(jwk(rsa_key(), **NO_ALG))

    assert verify(token(alg=alg), keys, algorithms=configured).subject == "u-1"


def test_a_key_with_alg_keeps_to_it() -> None:
    for own, other in (("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "RS384")):
        keys = key_set(jwk(rsa_key(), alg=own))
        assert verify(token(alg=own), keys, algorithms=(own, other))
        refused(token(alg=other), keys, "key_unsuitable", algorithms=(own, other))


def test_one_key_that_is_published_for_two_algorithms_verifies_both() -> None:
    keys = key_set(jwk(rsa_key(), alg="RS256"), jwk(rsa_key(), alg="PS256"))

    for alg in ("RS256", "PS256"):
        assert verify(token(alg=alg), keys, algorithms=("RS256", "PS256"))


def test_a_key_of_another_type_is_not_tried() -> None:
    refused(
        token(alg="ES256", key=ec_key()), key_set(jwk(rsa_key(), **NO_ALG)), "key_unsuitable", algorithms=("ES256",)
    )
    refused(token(), key_set(jwk(ec_key(), **NO_ALG)), "key_unsuitable", algorithms=("RS256", "ES256"))


def test_what_a_key_could_do_still_has_to_be_configured() -> None:
    keys = key_set(jwk(rsa_key(), **NO_ALG))

    refused(token(alg="PS256"), keys, "algorithm_forbidden")
    refused(token(header={"alg": "HS256"}), keys, "algorithm_forbidden", algorithms=("RS256", "HS256"))
    refused(token(header={"alg": "none"}), keys, "algorithm_forbidden", algorithms=("RS256", "none"))


def test_a_signature_of_the_other_kind_is_none() -> None:
    signed = token(header={"alg": "PS256"})  # signed with RS256

    refused(signed, key_set(jwk(rsa_key(), **NO_ALG)), "signature_invalid", algorithms=("RS256", "PS256"))


@pytest.mark.parametrize(
    ("published", "named", "good"),
    [
        (REMOVED, "EdDSA", True),
        (REMOVED, "Ed25519", True),
        ("EdDSA", "EdDSA", True),
        ("EdDSA", "Ed25519", True),
        ("Ed25519", "Ed25519", True),
        ("Ed25519", "EdDSA", False),
    ],
)
def test_ed25519_has_two_names(published: Any, named: str, good: bool) -> None:  # RFC 9864 section 2.2
    keys, signed = key_set(jwk(ed_key(), alg=published)), token(alg=named, key=ed_key())

    if good:
        assert verify(signed, keys, algorithms=("EdDSA", "Ed25519")).subject == "u-1"
    else:
        refused(signed, keys, "key_unsuitable", algorithms=("EdDSA", "Ed25519"))


@pytest.mark.parametrize(("configured", "named"), [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")])
def test_a_name_that_is_not_configured_is_forbidden(configured: str, named: str) -> None:
    keys = key_set(jwk(ed_key(), **NO_ALG))

    refused(token(alg=named, key=ed_key()), keys, "algorithm_forbidden", algorithms=(configured,))
    assert verify(token(alg=configured, key=ed_key()), keys, algorithms=(configured,))


def test_a_name_that_no_curve_of_ours_has_is_refused() -> None:
    keys = key_set(jwk(rsa_key()), jwk(ed_key(), alg="Ed448", kid="k2"))

    assert (len(keys), keys.skipped) == (1, 1)
    refused(token(header={"alg": "Ed448"}), keys, "algorithm_forbidden", algorithms=("RS256", "Ed448"))


def test_a_document_may_list_either_name() -> None:
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
    }
    for name in ("EdDSA", "Ed25519"):
        metadata = ProviderMetadata.parse(
            document | {"id_token_signing_alg_values_supported": ["RS256", name]}, issuer=ISSUER
        )
        assert narrow_algorithms(("EdDSA", "Ed25519"), metadata) == (name,)
