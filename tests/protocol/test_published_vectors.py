"""Vectors that other people publish: Wycheproof, JSONTestSuite and the RFCs, see ``published/README.md``.

What its publisher calls invalid is refused, with an error of ours. What its publisher calls valid, or leaves to the
reader, is accepted, except what stands in ``ON_PURPOSE`` with its reason. The tokens of the RFCs that we accept are in
``test_rfc_examples.py``.
"""

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cobot_oidc.protocol import KeySet, ProviderError, TokenError, verify_jws
from cobot_oidc.protocol.strict_json import JSONError, loads

from .tokens import as_json, b64, claims

PUBLISHED = Path(__file__).with_name("published")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

# Why we refuse what its publisher does not call invalid: single vectors, or a whole file of them.
ON_PURPOSE: dict[str, tuple[str, ...]] = {
    "a P-256 signature is over SHA-256 (RFC 7518 section 3.4)": (
        "ecdsa_secp256r1_sha3_256",
        "ecdsa_secp256r1_sha512_p1363",
    ),
    "an ECDSA signature is R and S side by side, not ASN.1 (RFC 7518 section 3.4)": ("ecdsa_secp256r1_sha256",),
    "a PSS signature has the salt length and the mask of its hash, SHA-256, -384 or -512 (RFC 7518 section 3.5)": (
        "rsa_pss_2048_sha256_mgf1_0",
        "rsa_pss_2048_sha256_mgf1sha1_20",
        "rsa_pss_2048_sha512_256_mgf1_32",
    ),
    "an RSA signature is over SHA-256, -384 or -512 (RFC 7518 section 3.3)": (
        "rsa_signature_2048_sha3_256",
        "rsa_signature_2048_sha512_256",
    ),
    "an RSA key has 2048 bits or more (RFC 7518 section 3.3)": ("rsa_pkcs1_1024_sig_gen", "rsa_pkcs1_1536_sig_gen"),
    "an RSA exponent is 65537 or more": (
        "rsa_signature_2048_sha256:258",
        "rsa_signature_2048_sha256:259",
        "rsa_signature_2048_sha512:259",
        "rsa_pkcs1_2048_sig_gen:154",
        "rsa_pkcs1_2048_sig_gen:158",
    ),
    "a DigestInfo has its NULL (RFC 8017 appendix A.2.4)": (
        "rsa_signature_2048_sha256:8",
        "rsa_signature_2048_sha384:8",
        "rsa_signature_2048_sha512:8",
        "rsa_signature_4096_sha256:8",
        "rsa_signature_8192_sha256:8",
    ),
    "secp256k1 is none of our curves": ("ecdsa_secp256k1_sha256_p1363", "ecdh_secp256k1_webcrypto"),
    "a key for agreement verifies nothing": ("x25519_jwk",),
    "anybody can sign for an Ed25519 point of small order": tuple(f"ed25519:{number}" for number in range(152, 160)),
    "a private key in public is a leaked key (RFC 7517 section 9.2)": (
        "ecdh_secp256r1_webcrypto:1:private",
        "ecdh_secp384r1_webcrypto:1:private",
        "ecdh_secp521r1_webcrypto:1:private",
        "RFC 7517 A.2, key 1",
        "RFC 7517 A.2, key 2",
        "RFC 7520 3.2",
        "RFC 7520 3.4",
        "RFC 8037 A.1",
    ),
    "no symmetric key belongs to a provider": (
        "RFC 7517 A.3, key 1",
        "RFC 7517 A.3, key 2",
        "RFC 7520 3.5",
        "RFC 7520 3.6",
    ),
    "a key for encryption verifies nothing (RFC 7517 section 4.2)": ("RFC 7517 A.1, key 1",),
    "a token is in compact serialisation (RFC 7519 section 1)": (
        "RFC 7515 A.6",
        "RFC 7515 A.7",
        "RFC 7520 4.6, flattened",
        "RFC 7520 4.6, general",
        "RFC 7520 4.7, flattened",
        "RFC 7520 4.7, general",
        "RFC 7520 4.8, general",
    ),
    "a token brings its payload along": ("RFC 7520 4.5",),
    "nothing encrypted is read": ("RFC 7519 A.1", "RFC 7519 A.2", "RFC 7520 5.1"),
    "names are unique (RFC 7493 section 2.3)": ("y_object_duplicated_key", "y_object_duplicated_key_and_value"),
    "integers are within 2^53, other numbers finite (RFC 7493 section 2.2)": (
        "i_number_huge_exp",
        "i_number_neg_int_huge_exp",
        "i_number_pos_double_huge_exp",
        "i_number_real_neg_overflow",
        "i_number_real_pos_overflow",
        "i_number_too_big_neg_int",
        "i_number_too_big_pos_int",
        "i_number_very_big_negative_int",
    ),
    "no text holds half a character (RFC 7493 section 2.1)": (
        "i_object_key_lone_2nd_surrogate",
        "i_string_1st_surrogate_but_2nd_missing",
        "i_string_1st_valid_surrogate_2nd_invalid",
        "i_string_incomplete_surrogate_and_escape_valid",
        "i_string_incomplete_surrogate_pair",
        "i_string_incomplete_surrogates_escape_valid",
        "i_string_invalid_lonely_surrogate",
        "i_string_invalid_surrogate",
        "i_string_inverted_surrogates_U+1D11E",
        "i_string_lone_second_surrogate",
    ),
    "JSON is UTF-8 without a byte order mark (RFC 8259 section 8.1)": (
        "i_string_UTF-16LE_with_BOM",
        "i_string_UTF-8_invalid_sequence",
        "i_string_UTF8_surrogate_U+D800",
        "i_string_invalid_utf-8",
        "i_string_iso_latin_1",
        "i_string_lone_utf8_continuation_byte",
        "i_string_not_in_unicode_range",
        "i_string_overlong_sequence_2_bytes",
        "i_string_overlong_sequence_6_bytes",
        "i_string_overlong_sequence_6_bytes_null",
        "i_string_truncated-utf-8",
        "i_string_utf16BE_no_BOM",
        "i_string_utf16LE_no_BOM",
        "i_structure_UTF-8_BOM_empty_object",
    ),
    "JSON has 32 levels": ("i_structure_500_nested_arrays",),
}
REFUSED = {name for names in ON_PURPOSE.values() for name in names}


def published(name: str) -> Any:
    return json.loads((PUBLISHED / name).read_text())


SIGNATURES: dict[str, Any] = {
    path.stem: published(f"wycheproof/{path.name}")
    for path in sorted((PUBLISHED / "wycheproof").glob("*.json"))
    if path.stem != "keys"
}
# name, verdict, what about it, the key
KEYS: list[Any] = published("wycheproof/keys.json") + [
    [name, verdict, "", value] for name, kind, verdict, value in published("rfc.json") if kind == "key"
]
TOKENS: dict[str, tuple[str, str]] = {
    name: (verdict, value) for name, kind, verdict, value in published("rfc.json") if kind == "token"
}
# One character for each byte; what is very long is written as what is repeated, how often, and what follows.
JSON_TEXTS: dict[str, bytes] = {
    name: (text * (repeated[0] if repeated else 1) + "".join(repeated[1:])).encode("latin-1")
    for name, text, *repeated in published("json_test_suite.json")
}
JSON_VERDICTS = {"y": "valid", "n": "invalid", "i": "acceptable"}


def to_be_accepted(name: str, verdict: str) -> bool:
    return verdict != "invalid" and name not in REFUSED and name.partition(":")[0] not in REFUSED


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


@pytest.mark.covers("J23", "J24", "K01")
@pytest.mark.parametrize("name", SIGNATURES)
def test_a_published_signature(name: str) -> None:
    algorithm, wrong = SIGNATURES[name]["algorithm"], []
    for group in SIGNATURES[name]["groups"]:
        keys = KeySet.parse(as_json({"keys": [group["key"]]}))
        for number, verdict, comment, message, signature in group["tests"]:
            accepted = any(key.verifies(algorithm, octets(message), octets(signature)) for key in keys)
            if accepted is not to_be_accepted(f"{name}:{number}", verdict):
                wrong.append((number, verdict, comment))

    assert wrong == []


@pytest.mark.covers("J23", "J24")
@pytest.mark.parametrize("name", SIGNATURES)
def test_a_published_signature_belongs_to_no_other_message(name: str) -> None:
    algorithm = SIGNATURES[name]["algorithm"]
    signing_input = f"{b64(as_json({'alg': algorithm}))}.{b64(as_json(claims()))}"
    for group in SIGNATURES[name]["groups"]:
        keys = KeySet.parse(as_json({"keys": [group["key"]]}))
        for number, _, comment, _, signature in group["tests"]:
            with pytest.raises(TokenError) as caught:
                verify_jws(f"{signing_input}.{signature}", keys, algorithms=(algorithm,))
            expected = "token_malformed" if not signature else "signature_invalid" if len(keys) else "key_unknown"
            assert caught.value.code == expected, (number, comment)


@pytest.mark.covers("K01", "K02", "K03", "K04")
@pytest.mark.parametrize(("name", "verdict", "comment", "key"), KEYS, ids=[name for name, *_ in KEYS])
def test_a_published_key(name: str, verdict: str, comment: str, key: dict[str, Any]) -> None:
    keys = KeySet.parse(as_json({"keys": [key]}))

    assert (len(keys), keys.skipped) == ((1, 0) if to_be_accepted(name, verdict) else (0, 1)), comment


@pytest.mark.covers("J01", "J10", "J12", "J13")
@pytest.mark.parametrize("name", TOKENS)
def test_a_published_token_that_is_none_of_ours(name: str) -> None:
    verdict, token = TOKENS[name]
    assert not to_be_accepted(name, verdict)

    keys = KeySet.parse(as_json({"keys": [key for known, _, _, key in KEYS if known.startswith("RFC")]}))
    with pytest.raises(TokenError):
        verify_jws(token, keys, algorithms=ALGORITHMS)


@pytest.mark.covers("J16", "J18", "J19", "J20")
@pytest.mark.parametrize("name", JSON_TEXTS)
def test_a_published_json_text(name: str) -> None:
    text = JSON_TEXTS[name]
    if to_be_accepted(name, JSON_VERDICTS[name[0]]):
        assert loads(text) == json.loads(text)
    else:
        with pytest.raises(JSONError):
            loads(text)


@pytest.mark.covers("J20", "K07")
@pytest.mark.parametrize("name", JSON_TEXTS)
def test_a_published_json_text_is_no_header_and_no_key_set(name: str) -> None:
    text = JSON_TEXTS[name]
    with pytest.raises(ProviderError, match="key_set_unusable"):
        KeySet.parse(text)
    with pytest.raises(TokenError) as caught:
        verify_jws(f"{b64(text)}.{b64(as_json(claims()))}.AAAA", KeySet.parse({"keys": [KEYS[0][3]]}))
    # Those of one object are headers without an algorithm.
    assert caught.value.code in ("header_malformed", "token_malformed", "token_too_large", "algorithm_forbidden")


def test_all_vectors_are_here_and_every_reason_is_needed() -> None:
    signatures = [
        (f"{name}:{test[0]}", test[1])
        for name, content in SIGNATURES.items()
        for group in content["groups"]
        for test in group["tests"]
    ]
    keys = [(name, verdict) for name, verdict, *_ in KEYS]
    tokens = [(name, verdict) for name, (verdict, _) in TOKENS.items()]
    texts = [(name, JSON_VERDICTS[name[0]]) for name in JSON_TEXTS]

    assert [Counter(verdict for _, verdict in vectors) for vectors in (signatures, keys, tokens, texts)] == [
        {"valid": 823, "invalid": 760, "acceptable": 39},
        {"valid": 31, "invalid": 64, "acceptable": 1},
        {"valid": 11, "invalid": 1},
        {"valid": 95, "invalid": 188, "acceptable": 35},
    ]
    open_to_us = [name for name, verdict in [*signatures, *keys, *tokens, *texts] if verdict != "invalid"]
    assert {*open_to_us, *(name.partition(":")[0] for name in open_to_us)} >= REFUSED
    assert sum(len(names) for names in ON_PURPOSE.values()) == len(REFUSED)
