"""Tokens that must not be believed: J01-J26; RFC 7515, 7797 and 8725."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cobot_oidc.protocol import TokenError, strict_json, verify_jws

from .tokens import NOW, REMOVED, as_json, b64, claims, ec_key, ed_key, jwk, key_set, rsa_key, sign, token, verify


def rejected(bad: Any, code: str | tuple[str, ...], **options: Any) -> None:
    for check in (lambda: verify(bad, **options), lambda: verify_jws(bad, options.get("keys") or key_set())):
        with pytest.raises(TokenError) as caught:
            check()
        assert caught.value.code in ((code,) if isinstance(code, str) else code)


def test_a_valid_token_is_verified() -> None:
    verified = verify_jws(token(), key_set())

    assert verified.header == {"alg": "RS256", "kid": "k1", "typ": "JWT"}
    assert verified.payload == as_json(claims())
    assert verify(token())["sub"] == "u-1"


@pytest.mark.covers("J01")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "none ", "", None, 0, [], ["none"], {}, True, REMOVED])
@pytest.mark.parametrize("kid", ["k1", REMOVED])
def test_no_algorithm(alg: Any, kid: Any) -> None:
    signed = token(header={"alg": alg, "kid": kid})
    rejected(signed, "algorithm_forbidden")
    rejected(signed.rpartition(".")[0] + ".", "token_malformed")


def public_forms() -> dict[str, bytes]:
    public = rsa_key().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    numbers = public.public_numbers()
    member = jwk(rsa_key())
    return {
        "SPKI PEM": pem,
        "SPKI PEM, CRLF": pem.replace(b"\n", b"\r\n"),
        "SPKI PEM, no last newline": pem.strip(),
        "SPKI PEM, spaces": b" " + pem + b"\n\n",
        "SPKI DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "PKCS1 PEM": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "PKCS1 DER": public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        "modulus": numbers.n.to_bytes(256, "big"),
        "modulus, hex": f"{numbers.n:x}".encode(),
        "modulus, decimal": str(numbers.n).encode(),
        "modulus, base64url": member["n"].encode(),
        "exponent": b"\x01\x00\x01",
        "JWK": as_json(member),
        "JWK, sorted": json.dumps(member, sort_keys=True).encode(),
        "kty": b"RSA",
        "alg": b"RS256",
        "kid": b"k1",
        "client secret": b"s3cret",
        "nothing": b"",
        "NUL": b"\0",
    }


@pytest.mark.covers("J03")
@pytest.mark.parametrize("form", public_forms())
@pytest.mark.parametrize("bits", [256, 384, 512])
def test_a_public_key_is_no_shared_secret(form: str, bits: int) -> None:
    signing_input = f"{b64(as_json({'alg': f'HS{bits}', 'kid': 'k1'}))}.{b64(as_json(claims()))}"
    mac = hmac.new(public_forms()[form], signing_input.encode(), f"sha{bits}").digest()
    rejected(f"{signing_input}.{b64(mac)}", "algorithm_forbidden")
    # Not even an operator who names it can make HMAC possible.
    with pytest.raises(TokenError) as caught:
        verify_jws(f"{signing_input}.{b64(mac)}", key_set(), algorithms=(f"HS{bits}", "none"))
    assert caught.value.code in ("algorithm_forbidden", "algorithm_forbidden")


@pytest.mark.covers("J04")
@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS384", rsa_key()),
        ("RS512", rsa_key()),
        ("PS256", rsa_key()),
        ("PS384", rsa_key()),
        ("PS512", rsa_key()),
        ("ES256", ec_key("P-256")),
        ("ES384", ec_key("P-384")),
        ("ES512", ec_key("P-521")),
        ("EdDSA", ed_key()),
        ("Ed25519", ed_key()),
    ],
)
def test_other_algorithms_are_for_who_configures_them(alg: str, key: Any) -> None:
    keys, signed = key_set(jwk(key, alg=alg)), token(alg=alg, key=key)
    rejected(signed, "algorithm_forbidden", keys=keys)
    assert verify(signed, keys, algorithms=(alg,))["sub"] == "u-1"
    assert verify(signed, key_set(jwk(key, alg=REMOVED)), algorithms=(alg,))["sub"] == "u-1"


@pytest.mark.covers("J05")
@pytest.mark.parametrize(
    "header",
    [
        {"jwk": jwk(rsa_key(1))},
        {"jwk": "https://evil.example/key"},
        {"jku": "https://evil.example/jwks.json"},
        {"jku": ["https://evil.example/jwks.json"]},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB", "MIIC"]},
    ],
)
def test_a_token_brings_no_key(header: dict[str, Any]) -> None:
    rejected(token(header=header, key=rsa_key(1)), "header_forbidden")
    rejected(token(header=header), "header_forbidden")


@pytest.mark.covers("J06", "J09")
@pytest.mark.parametrize(
    ("kid", "code"),
    [
        ("../../dev/null", "key_unknown"),
        ("' OR 1=1", "key_unknown"),
        ("|id", "key_unknown"),
        ("k1\0", "key_unknown"),
        ("K1", "key_unknown"),
        ("ｋ1", "key_unknown"),
        ("__proto__", "key_unknown"),
        ("https://evil.example", "key_unknown"),
        ("x" * 257, "kid_malformed"),
        ("", "kid_malformed"),  # J09
        (1, "kid_malformed"),
        (None, "kid_malformed"),
        (["k1"], "kid_malformed"),
        ({"k1": 1}, "kid_malformed"),
        (True, "kid_malformed"),
    ],
)
def test_a_kid_is_an_exact_name(kid: Any, code: str) -> None:
    rejected(token(header={"kid": kid}), code)


@pytest.mark.covers("J07", "J08")
def test_a_token_without_kid() -> None:
    nameless = token(header={"kid": REMOVED})
    others = [jwk(rsa_key(number), kid=f"k{number}") for number in range(1, 6)]
    right = jwk(rsa_key(), kid="k0")
    assert verify(nameless, key_set(jwk(rsa_key(), kid=REMOVED)))
    assert verify(nameless, key_set(right))
    assert verify(nameless, key_set(others[0], right))
    assert verify(nameless, key_set(*others[:3], right))
    rejected(nameless, "key_ambiguous", keys=key_set(*others[:4], right))
    rejected(nameless, "signature_invalid", keys=key_set(*others[:4]))
    with pytest.raises(TokenError, match="kid_required"):
        verify(nameless, require_kid=True)
    with pytest.raises(TokenError, match="kid_required"):
        verify_jws(nameless, key_set(), require_kid=True)


@pytest.mark.covers("J10", "J11", "J12")
@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"]},
        {"crit": ["x"], "x": 1},
        {"crit": []},
        {"crit": "exp"},
        {"crit": None},
        {"crit": ["exp", "exp"]},
        {"b64": False},
        {"b64": True},
        {"b64": False, "crit": ["b64"]},
        {"enc": "A256GCM"},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
)
def test_what_must_be_understood_is_refused(header: dict[str, Any]) -> None:
    rejected(token(header=header), "header_forbidden")


@pytest.mark.covers("J11")
def test_an_unencoded_payload() -> None:  # RFC 7797
    first = b64(as_json({"alg": "RS256", "kid": "k1", "b64": False, "crit": ["b64"]}))
    for payload in ("payload", "pay.load", ""):
        signature = b64(sign(rsa_key(), "RS256", f"{first}.{payload}".encode()))
        rejected(f"{first}.{payload}.{signature}", ("header_forbidden", "token_malformed"))


@pytest.mark.covers("J12", "J13", "J14")
@pytest.mark.parametrize(
    "bad",
    [
        "a.b.c.d.e",  # J12
        json.dumps({"payload": "e30", "signatures": []}),  # J13
        json.dumps({"payload": "e30", "protected": "e30", "signature": "e30"}),
        {"payload": "e30"},
        None,
        7,
        b"a.b.c",
        [],
        "",  # J14
        ".",
        "..",
        "a",
        "a.b",
        "a.b.c.d",
        "." * 10_000,
        ".e30.e30",
        "e30..e30",
        "e30.e30.",
    ],
)
def test_what_is_no_compact_serialisation(bad: Any) -> None:
    rejected(bad, "token_malformed")


@pytest.mark.covers("J14", "J17")
def test_a_million_dots() -> None:
    rejected("." * 10**6, "token_too_large")


@pytest.mark.covers("J14")
@pytest.mark.parametrize("odd", [" ", "\n", "\t", "=", "+", "/", "%", "\u200b", "\ufeff", ".", "é", "\0"])
@pytest.mark.parametrize("place", ["before", "after", "inside the payload", "after the header"])
def test_no_other_character(odd: str, place: str) -> None:
    good = token()
    head, payload, signature = good.split(".")
    spoilt = {
        "before": odd + good,
        "after": good + odd,
        "inside the payload": f"{head}.{payload[:5]}{odd}{payload[5:]}.{signature}",
        "after the header": f"{head}{odd}.{payload}.{signature}",
    }[place]
    rejected(spoilt, ("token_malformed", "header_malformed"))


@pytest.mark.covers("J15")
def test_each_value_has_one_encoding() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for filler in range(3):
        good = token(claims(x="y" * filler), header={"x": "y" * filler})
        segments = good.split(".")
        for number, segment in enumerate(segments):
            for last in alphabet:
                spoilt = ".".join([*segments[:number], segment[:-1] + last, *segments[number + 1 :]])
                if spoilt != good:
                    with pytest.raises(TokenError):
                        verify(spoilt)
            padded = ".".join([*segments[:number], segment + "=" * (-len(segment) % 4 or 4), *segments[number + 1 :]])
            rejected(padded, "token_malformed")


@pytest.mark.covers("J16")
@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","alg":"RS256","kid":"k1"}',
        b'{"alg":"RS256","kid":"k1","kid":"k1"}',
        b'{"alg":"RS256","kid":"k1","\\u0061lg":"RS256"}',
        b'{"alg":"RS256","kid":"k1","x":{"y":1,"y":2}}',
    ],
)
def test_repeated_names_in_the_header(header: bytes) -> None:
    rejected(token(raw_header=header), "header_malformed")


@pytest.mark.covers("J16")
@pytest.mark.parametrize(
    "extra", [b'"sub":"victim"', b'"s\\u0075b":"victim"', b'"x":{"y":1,"y":2}', b'"x":[{"y":1,"\\u0079":2}]']
)
def test_repeated_names_in_the_payload(extra: bytes) -> None:
    with pytest.raises(TokenError, match="payload_malformed"):
        verify(token(as_json(claims())[:-1] + b"," + extra + b"}"))


@pytest.mark.covers("J17")
def test_size_is_looked_at_first() -> None:
    fits = claims()
    fits["x"] = ["y" * 900] * 11
    assert len(token(fits)) < 16 * 1024
    assert verify(token(fits))
    for size in (16 * 1024 + 1, 10**6, 10**8):
        rejected("a" * size, "token_too_large")
    rejected(token(header={"x": "y" * 2048}), "header_malformed")


@pytest.mark.covers("J18")
@pytest.mark.parametrize("depth", [33, 1000, 4000])
@pytest.mark.parametrize("shape", ["[", '{"x":'])
def test_deep_nesting(depth: int, shape: str) -> None:
    nested = shape * depth + "1" + {"[": "]", '{"x":': "}"}[shape] * depth
    with pytest.raises(TokenError):
        verify(token(b'{"x":' + nested.encode() + b"}"))
    with pytest.raises(TokenError):
        verify(token(raw_header=b'{"alg":"RS256","x":' + nested.encode() + b"}"))


@pytest.mark.covers("J19", "C05")
@pytest.mark.parametrize(
    "number",
    [b"NaN", b"Infinity", b"-Infinity", b"-0", b"1e400", b"9" * 5000, b"true", b'"1800003600"', b"null", b"[]", b"0"],
)
def test_numbers_that_are_no_times(number: bytes) -> None:
    payload = as_json(claims(exp="EXP")).replace(b'"EXP"', number)
    with pytest.raises(TokenError) as caught:
        verify(token(payload))
    assert caught.value.code in ("payload_malformed", "time_malformed")


@pytest.mark.covers("J19")
def test_a_time_may_have_a_fraction() -> None:
    assert verify(token(claims(exp=NOW + 0.5, iat=NOW - 0.5)))


@pytest.mark.covers("J20", "J21")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.decode().encode("utf-32"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"Ada", b"\\ud800"),
        lambda data: data.replace(b"Ada", b"\xc0\x80"),
        lambda data: data.replace(b"Ada", b"\xff"),
        lambda data: data.replace(b"Ada", b"\0"),
        lambda data: data.replace(b"Ada", b"\n"),
        lambda data: data + b"x",
        lambda data: data.replace(b"{", b"{,"),
        lambda data: b"/**/" + data,
        lambda _: b"[]",  # J21
        lambda _: b'"x"',
        lambda _: b"1",
        lambda _: b"null",
        lambda _: b"{",
    ],
)
def test_what_is_no_strict_json_object(spoil: Any) -> None:
    with pytest.raises(TokenError, match="payload_malformed"):
        verify(token(spoil(as_json(claims()))))


@pytest.mark.covers("J22")
@pytest.mark.parametrize(
    ("typ", "good"),
    [
        (REMOVED, True),
        ("JWT", True),
        ("jwt", True),
        ("application/jwt", True),
        ("at+jwt", False),
        ("application/at+jwt", False),
        ("logout+jwt", False),
        ("userinfo+jwt", False),
        ("token-userinfo+jwt", False),
        ("application/application/jwt", False),
        ("text/jwt", False),
        ("secevent+jwt", False),
        ("", False),
        (1, False),
        (None, False),
        (["JWT"], False),
    ],
)
def test_only_a_jwt_is_an_id_token(typ: Any, good: bool) -> None:
    if good:
        assert verify(token(header={"typ": typ}))
    else:
        rejected(token(header={"typ": typ}), "token_type_wrong")


@pytest.mark.covers("J23")
def test_another_signature() -> None:
    good = token()
    signing_input, _, signature = good.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    modulus = rsa_key().public_key().public_numbers().n
    others = [
        base64.urlsafe_b64decode(token(claims(sub="u-2")).rpartition(".")[2] + "=="),
        raw[:-1],
        raw + b"\0",
        b"\0" + raw,
        bytes(256),
        modulus.to_bytes(256, "big"),
        (modulus + 1).to_bytes(256, "big"),
        b"\xff" * 256,
        hashlib.sha256(signing_input.encode()).digest(),
        *(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :] for place in range(0, 256, 17)),
    ]
    for other in others:
        rejected(f"{signing_input}.{b64(other)}", "signature_invalid")


@pytest.mark.covers("J24")
def test_signatures_that_no_curve_makes() -> None:
    key = ec_key()
    keys, good = key_set(jwk(key)), token(alg="ES256", key=key)
    assert verify(good, keys, algorithms=("ES256",))
    signing_input, _, signature = good.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    n = order.to_bytes(32, "big")
    der = key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    for other in (
        bytes(64),
        bytes(32) + raw[32:],
        raw[:32] + bytes(32),
        raw[:32] + n,
        n + n,
        der,
        raw[:63],
        raw + b"\0",
    ):
        with pytest.raises(TokenError, match="signature_invalid"):
            verify(f"{signing_input}.{b64(other)}", keys, algorithms=("ES256",))


@pytest.mark.covers("J25")
def test_unknown_members_of_the_header_are_ignored() -> None:  # RFC 7515 section 4
    assert verify(token(header={"x-foo": 1, "x5t": "abc", "x5t#S256": "abc", "nested": {"a": [1, None]}}))


@pytest.mark.covers("J26")
def test_the_bytes_that_were_signed_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from cobot_oidc.protocol import id_token

    seen: list[bytes] = []

    def loads(data: bytes, **options: Any) -> object:
        seen.append(data)
        return strict_json.loads(data, **options)

    monkeypatch.setattr(id_token, "loads", loads)
    verify(token())
    assert seen == [as_json(claims())]


def test_a_verified_header_is_the_callers_own() -> None:
    first = verify_jws(token(header={"nested": {"a": [1]}}), key_set())
    first.header["alg"] = "none"
    first.header["nested"]["a"].append(2)  # type: ignore[index]

    assert verify_jws(token(header={"nested": {"a": [1]}}), key_set()).header["nested"] == {"a": [1]}
