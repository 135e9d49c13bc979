"""Claims that must not be believed, and how they reach an app: C01-C20; OIDC Core 2, 3.1.3.7, 5.1."""

from typing import Any

import pytest

from cobot_oidc.protocol import TokenError
from cobot_oidc.protocol.claims import clean_claims
from cobot_oidc.protocol.id_token import RULES, Expected, UnverifiedIDToken

from .tokens import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    REMOVED,
    as_json,
    at_hash,
    claims,
    ec_key,
    jwk,
    key_set,
    rsa_key,
    token,
    verify,
)

TEXT_CLAIMS = (
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "gender",
    "birthdate",
    "acr",
    "sid",
    "jti",
)


def rejected(code: str, changes: dict[str, Any] | None = None, **options: Any) -> TokenError:
    with pytest.raises(TokenError) as caught:
        verify(token(claims(**(changes or {}))), **options)
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.mark.covers("C01")
@pytest.mark.parametrize(
    "issuer",
    [
        REMOVED,
        None,
        [ISSUER],
        ISSUER + "/",
        ISSUER.upper(),
        ISSUER.replace("https", "http"),
        ISSUER + ":443",
        "https://betahaus.cobot.me",
        "https://www.cobot.me",
        "https://со-up.cobot.me",
        "https://user@co-up.cobot.me",
        ISSUER[:-1],
        ISSUER + "x",
        ISSUER.replace("-", "%2d"),
        "",
    ],
)
def test_the_issuer_is_exactly_the_one_that_was_asked(issuer: Any) -> None:
    rejected("issuer_mismatch", {"iss": issuer})


@pytest.mark.covers("C02")
@pytest.mark.parametrize(
    "audience",
    [
        REMOVED,
        None,
        "",
        [],
        "other",
        ["other"],
        CLIENT_ID[:-1],
        CLIENT_ID + "x",
        [[CLIENT_ID]],
        {CLIENT_ID: 1},
        CLIENT_ID.upper(),
        1,
    ],
)
def test_the_token_is_for_us(audience: Any) -> None:
    rejected("audience_mismatch", {"aud": audience})


@pytest.mark.covers("C02", "C03")
def test_the_token_is_for_nobody_else() -> None:
    assert verify(token(claims(aud=[CLIENT_ID])))
    for more in ({}, {"azp": CLIENT_ID}, {"azp": "other"}):
        rejected("audience_untrusted", {"aud": [CLIENT_ID, "other"], **more})
    rejected("audience_untrusted", {"aud": [CLIENT_ID, *(f"a{n}" for n in range(999))]})
    rejected("audience_untrusted", {"aud": [CLIENT_ID, None]})
    for no_text in (["api"], {"api": 1}):  # could not be looked up in a set
        rejected("audience_untrusted", {"aud": [CLIENT_ID, no_text]}, trusted_audiences=frozenset({"api"}))

    both = {"aud": [CLIENT_ID, "other"]}
    trust: dict[str, Any] = {"trusted_audiences": ("other",)}
    assert verify(token(claims(**both, azp=CLIENT_ID)), **trust)
    rejected("authorized_party_mismatch", both, **trust)
    rejected("authorized_party_mismatch", both | {"azp": "other"}, **trust)


@pytest.mark.covers("C04")
@pytest.mark.parametrize("azp", ["other", "", None, [CLIENT_ID], 1])
def test_the_authorized_party_is_us(azp: Any) -> None:
    rejected("authorized_party_mismatch", {"azp": azp})
    assert verify(token(claims(azp=CLIENT_ID)))


@pytest.mark.covers("J19", "C05", "C06")
@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize(
    "value", [REMOVED, None, True, "1800003600", -1, 0, 2**53, 1e300, [NOW], {"a": 1}, float(2**53)]
)
def test_a_time_is_a_number_of_seconds(name: str, value: Any) -> None:
    rejected("time_malformed", {name: value})


@pytest.mark.covers("C05", "C06", "C07", "C08", "C20")
@pytest.mark.parametrize(
    ("changes", "code", "difference"),
    [
        ({"exp": NOW - 61, "iat": NOW - 100}, "expired", 61),  # C05
        ({"exp": NOW - 60, "iat": NOW - 100}, "expired", 60),
        ({"exp": NOW + 366 * 86400 + 1}, "exp_too_far", 366 * 86400 + 1),
        ({"iat": NOW + 61}, "clock_skew", 61),  # C06, C20
        ({"iat": NOW - 601}, "issued_too_long_ago", 601),
        ({"nbf": NOW + 61}, "not_yet_valid", 61),  # C07
        ({"exp": NOW + 10, "iat": NOW + 20}, "exp_not_after_iat", 10),  # C08
        ({"exp": NOW + 10, "iat": NOW + 10}, "exp_not_after_iat", 0),
    ],
)
def test_the_clock(changes: dict[str, Any], code: str, difference: float) -> None:
    error = rejected(code, changes)

    assert error.details["difference_seconds"] == difference
    assert str(difference) in str(error)


@pytest.mark.covers("C05", "C06", "C07", "C20")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 59, "iat": NOW - 100},
        {"exp": NOW + 366 * 86400},
        {"iat": NOW + 60},
        {"iat": NOW - 600},
        {"nbf": NOW + 60},
        {"nbf": NOW - 10_000},
    ],
)
def test_clocks_may_differ_a_little(changes: dict[str, Any]) -> None:
    assert verify(token(claims(**changes)))


def test_the_leeway_is_the_callers() -> None:
    rejected("clock_skew", {"iat": NOW + 1}, leeway=0)
    rejected("issued_too_long_ago", {"iat": NOW - 6}, max_iat_age=5)
    rejected("time_malformed", {"nbf": "soon"})


@pytest.mark.covers("C09")
@pytest.mark.parametrize(
    "subject",
    [
        REMOVED,
        None,
        "",
        1,
        ["u-1"],
        {"u": 1},
        "x" * 256,
        "a\u0000b",
        "a\nb",
        "a\u202eb",
        " a",
        "a ",
        " ",
        "Ünal",
        "村上",
        True,
    ],
)
def test_a_subject_is_printable_ascii(subject: Any) -> None:
    rejected("subject_malformed", {"sub": subject})


@pytest.mark.covers("C09", "C10")
def test_subjects_are_kept_as_they_are() -> None:
    for subject in ("x" * 255, "Abc", "abc", "user-langalex", "a b", "~!@#$%^&*()"):
        assert verify(token(claims(sub=subject))).subject == subject


@pytest.mark.covers("C11", "C17", "C18")
@pytest.mark.parametrize("nonce", [REMOVED, None, "", "other", [NONCE], NONCE[:-1], NONCE + "x", NONCE.upper(), 1, "é"])
def test_the_nonce_is_the_logins(nonce: Any) -> None:
    rejected("nonce_mismatch", {"nonce": nonce})
    rejected("nonce_mismatch", {"nonce": nonce, "nonce_supported": False})


def test_where_no_nonce_was_sent_none_may_come() -> None:
    rejected("nonce_unexpected", nonce=None)
    assert verify(token(claims(nonce=REMOVED)), nonce=None)


@pytest.mark.covers("C12")
@pytest.mark.parametrize(
    "value", ["", "x", 1, None, [], at_hash("other"), at_hash("opaque", "sha512"), at_hash("opaque") + "="]
)
def test_the_access_token_belongs_to_the_id_token(value: Any) -> None:
    rejected("at_hash_mismatch", {"at_hash": value}, access_token="opaque")


@pytest.mark.covers("K10")
def test_a_token_tells_whose_signature_it_bears() -> None:
    expected = Expected(ISSUER, CLIENT_ID, NONCE)
    of_unknown_key = token(key=rsa_key(1), header={"kid": "other"})

    def is_signed_by_ours(text: str) -> bool:
        return UnverifiedIDToken.parse(text, expected, now=NOW).jws.is_signed_by(key_set(), require_kid=False)

    assert is_signed_by_ours(token()) is True
    assert is_signed_by_ours(of_unknown_key) is False
    assert is_signed_by_ours(token(key=rsa_key(1))) is False


@pytest.mark.covers("C12")
def test_at_hash() -> None:
    assert verify(token(claims(at_hash=at_hash("opaque"))), access_token="opaque")
    assert verify(token(), access_token="opaque")
    assert verify(token())
    rejected("at_hash_mismatch", {"at_hash": at_hash("opaque")})
    rejected("at_hash_mismatch", {"at_hash": at_hash("opaque")}, access_token="\ud800")
    key = ec_key("P-384")
    for access_token in ("opaque", next(text for text in map(str, range(1000)) if at_hash(text, "sha384")[-1] == "X")):
        signed = token(claims(at_hash=at_hash(access_token, "sha384")), key=key, alg="ES384")
        assert verify(signed, key_set(jwk(key)), algorithms=("ES384",), access_token=access_token)


@pytest.mark.covers("C13")
@pytest.mark.parametrize(
    ("auth_time", "code"),
    [
        (REMOVED, "time_malformed"),
        ("1800000000", "time_malformed"),
        (NOW - 121, "authentication_too_old"),
        (NOW + 61, "clock_skew"),
    ],
)
def test_an_authentication_that_is_old_or_has_no_time_is_refused(auth_time: Any, code: str) -> None:
    rejected(code, {"auth_time": auth_time}, max_age=60)


@pytest.mark.covers("C13")
def test_a_recent_authentication_is_accepted() -> None:
    assert verify(token(claims(auth_time=NOW - 119)), max_age=60)
    assert verify(token(claims(auth_time="whenever")))


@pytest.mark.covers("C13", "P03")
@pytest.mark.parametrize(
    ("required", "acr"),
    [
        ({"acr": ()}, REMOVED),
        ({"acr": ()}, None),
        ({"acr": ("a", "b")}, REMOVED),
        ({"acr": ("a", "b")}, "c"),
        ({"acr": ("a", "b")}, ""),
        ({"acr": ("a", "b")}, ["a"]),
        ({"acr": ("a", "b")}, {"a": 1}),
        ({"sub": ("u-1",), "acr": ("a",)}, "b"),
        ({"auth_time": (), "acr": ("a",)}, "a"),
    ],
    ids=str,
)
def test_a_claim_that_was_demanded_and_is_not_there_or_another(required: dict[str, Any], acr: Any) -> None:
    rejected("requested_claim_unmet", {"acr": acr}, required=required)


@pytest.mark.covers("C13", "P03")
def test_a_claim_as_it_was_demanded() -> None:
    assert verify(token(claims(acr="b")), required={"acr": ("a", "b")})["acr"] == "b"
    assert verify(token(claims(acr="any", auth_time=5)), required={"acr": (), "auth_time": (), "sub": ("u-1",)})
    with pytest.raises(TokenError) as raised:
        verify(token(claims(acr="c")), required={"acr": ("a", "b")})
    assert raised.value.details == {"name": "'acr'", "expected": "['a', 'b']", "got": "'c'"}
    with pytest.raises(TokenError) as raised:
        verify(token(claims()), required={"acr": ()})
    assert raised.value.details == {"name": "'acr'", "expected": "any", "got": "None"}


@pytest.mark.covers("C16")
def test_who_it_is_stands_in_the_payload_alone() -> None:
    rejected("subject_malformed", {"sub": REMOVED})
    with pytest.raises(TokenError, match="issuer_mismatch"):
        verify(token(claims(iss=REMOVED), header={"iss": ISSUER, "sub": "u-1", "aud": CLIENT_ID}))


@pytest.mark.covers("C14", "S15")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ["Ada"]),  # C14
        ("name", {"first": "Ada"}),
        ("name", 7),
        ("name", ""),
        ("name", None),
        ("name", "x" * 1001),  # S15
        ("name", "Ada\u0000"),
        ("name", "Ada\nBcc: x"),
        ("name", "Ada\u202e"),
        ("name", "\x85"),
        ("email", ["ada@example.org"]),
        ("email", {"a": "b"}),
        ("email", "nobody"),
        ("email", "a b@example.org"),
        ("email", "x" * 309 + "@example.org"),
        ("picture", "http://pictures.example/a.jpg"),
        ("picture", "javascript:alert(1)"),
        ("picture", "data:image/png;base64,AAAA"),
        ("picture", "//pictures.example/a.jpg"),
        ("picture", "https://"),
        ("picture", "https://user@pictures.example/"),
        ("picture", 'https://pictures.example/"onerror="x'),
        ("picture", "https://pictures.example/a b"),
        ("picture", "https://pictures.example\\@evil.example/"),
        ("picture", ""),
        ("picture", 1),
        ("email_verified", "true"),
        ("email_verified", 1),
        ("email_verified", "false"),
        *((name, 7) for name in TEXT_CLAIMS),
        *((name, "") for name in TEXT_CLAIMS),
        ("profile", "http://people.example/ada"),
        ("website", "javascript:alert(1)"),
        ("phone_number_verified", "true"),
        ("auth_time", "noon"),
        ("amr", "pwd"),
        ("amr", ["pwd", 7]),
        ("amr", [""]),
        ("address", "Berlin"),
        ("unknown", {"a\u0007": 1}),
        ("unknown", "a\u007fb"),
        ("phone_number", 49),
        ("phone_number", ""),
        ("locale", "../../etc"),
        ("locale", ["de"]),
        ("zoneinfo", "../../etc/passwd"),
        ("zoneinfo", 1),
        ("updated_at", "yesterday"),
        ("updated_at", True),
        ("unknown", "a\u0007b"),
        ("unknown", ["fine", {"deep": "a\u0007b"}]),
        ("unk\nown", 1),
    ],
)
def test_a_claim_that_no_app_could_use_is_absent(name: str, value: Any) -> None:
    verified = verify(token(claims(**{name: value})))

    assert name not in verified
    assert getattr(verified, name, None) in (None, False)
    assert verified["sub"] == "u-1"


@pytest.mark.covers("C14")
def test_a_control_character_needs_no_escape_to_be_found() -> None:
    for written in (b"\\u007f", b"\x7f", b"\xc2\x85"):
        payload = as_json(claims(name="Ada-King")).replace(b"Ada-King", b"Ada" + written)
        assert "name" not in verify(token(payload))


@pytest.mark.covers("C15")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "村上 春樹"),
        ("name", "<script>alert(1)</script>"),  # templates escape it
        ("name", "O'Brien \\ Söhne"),
        ("name", "عمر\u200cخیام"),
        ("name", "x" * 1000),
        ("email", "ada+cobot@example.org"),
        ("picture", "https://pictures.example:8443/a.jpg?size=96#x"),
        ("picture", "https://pictures.example"),
        ("email_verified", True),
        ("email_verified", False),
        ("phone_number", "030 / 12 34 (nachmittags)"),
        ("locale", "de-AT"),
        ("zoneinfo", "America/Argentina/Buenos_Aires"),
        ("updated_at", 1_700_000_000),
        ("address", {"locality": "Berlin"}),
        *((name, "fine") for name in TEXT_CLAIMS),
        ("profile", "https://people.example/ada"),
        ("website", "https://ada.example"),
        ("phone_number_verified", True),
        ("auth_time", 1_700_000_000),
        ("amr", ["pwd", "otp"]),
        ("amr", []),
        ("email", "x" * 308 + "@example.org"),
        ("unknown", "x" * 1000),
        ("unknown", {"a": {"b": ["c", "ü", True, None]}}),
        ("groups", ["a", "b", 1, None, True]),
        ("__class__", "x"),  # C15: a claim is an entry, never an attribute
        ("get", "x"),
        ("_claims", "x"),
    ],
)
def test_a_claim_that_an_app_can_use_is_kept_as_it_is(name: str, value: Any) -> None:
    verified = verify(token(claims(**{name: value})))

    assert verified[name] == value
    assert verified.get("sub") == "u-1"


def test_claims_are_a_mapping_that_nobody_can_change() -> None:
    verified = verify(token(claims(email="ada@example.org", email_verified=True)))

    assert dict(verified) == claims(email="ada@example.org", email_verified=True)
    assert len(verified) == len(list(verified)) == 9
    assert (verified.issuer, verified.subject, verified.name) == (ISSUER, "u-1", "Ada Lovelace")
    assert (verified.email, verified.email_verified) == ("ada@example.org", True)
    assert (verified.picture, verified.phone_number) == (None, None)
    space = verify(token(claims(picture="https://pictures.example/a.jpg", phone_number="030")))
    assert (space.picture, space.phone_number) == ("https://pictures.example/a.jpg", "030")
    assert not hasattr(verified, "__setitem__")
    assert "ada@example.org" not in repr(verified)


@pytest.mark.covers("L02")
def test_no_secret_stands_in_an_error() -> None:
    signed = token(claims(nonce="another-nonce"))
    with pytest.raises(TokenError) as caught:
        verify(signed, access_token="opaque-access-token")

    told = str(caught.value) + repr(caught.value) + repr(caught.value.details)
    for secret in (NONCE, "another-nonce", "opaque-access-token", signed, signed.rpartition(".")[2]):
        assert secret not in told


def test_who_and_for_whom_are_kept_however_long_they_are() -> None:
    issuer, client_id, nonce = f"https://op.example/{'a' * 1100}", "c" * 1100, "n" * 1100
    signed = token(claims(iss=issuer, aud=client_id, azp=client_id, nonce=nonce, sub="s" * 255, name="ü"))

    verified = verify(signed, issuer=issuer, client_id=client_id, nonce=nonce)

    assert set(verified) == {"iss", "aud", "azp", "nonce", "sub", "iat", "exp", "name"}


@pytest.mark.covers("C14", "O05")
def test_claims_from_elsewhere_are_cleaned_as_well() -> None:
    cleaned = clean_claims({"iss": ISSUER, "sub": "u-1", "name": "Ada\n", "email": "a@b", "picture": "x", "x": "y"})

    assert dict(cleaned) == {"iss": ISSUER, "sub": "u-1", "email": "a@b", "x": "y"}


def test_the_rules_come_in_the_order_of_the_specification_and_name_it() -> None:
    assert [(rule.about, rule.section) for rule in RULES] == [
        ("iss", "OIDC Core 3.1.3.7 (2)"),
        ("aud", "OIDC Core 3.1.3.7 (3)"),
        ("azp", "OIDC Core 3.1.3.7 (4), (5)"),
        ("exp", "OIDC Core 3.1.3.7 (9)"),
        ("iat", "OIDC Core 3.1.3.7 (10)"),
        ("exp after iat", "RFC 7519 4.1.4"),
        ("nbf", "RFC 7519 4.1.5"),
        ("nonce", "OIDC Core 3.1.3.7 (11)"),
        ("sub", "OIDC Core 2"),
        ("requested claims", "OIDC Core 3.1.3.7 (12), 5.5.1.1"),
        ("auth_time", "OIDC Core 3.1.3.7 (13)"),
    ]
