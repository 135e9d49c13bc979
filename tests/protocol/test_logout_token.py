"""Logout tokens that end nothing, and why: O03; OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6."""

from typing import Any

import pytest

from cobot_oidc.errors import TokenError
from cobot_oidc.protocol.id_token import Expected
from cobot_oidc.protocol.keys import KeySet
from cobot_oidc.protocol.logout_token import LOGOUT_RULES, LogoutToken, UnverifiedLogoutToken

from .tokens import CLIENT_ID, ISSUER, NOW, REMOVED, as_json, b64, ec_key, jwk, key_set, rsa_key, token

EVENT = "http://schemas.openid.net/event/backchannel-logout"
EXPECTED = Expected(ISSUER, CLIENT_ID, nonce=None)


def logout_claims(**changes: Any) -> dict[str, Any]:
    good = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "j-1",
        "sub": "u-1",
        "sid": "s-1",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in (good | changes).items() if value is not REMOVED}


def logout_token(header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
    return token(logout_claims(**changes), {"typ": "logout+jwt"} | (header or {}), key=key)


def verified(text: object, keys: KeySet | None = None, expected: Expected = EXPECTED, **options: Any) -> LogoutToken:
    unverified = UnverifiedLogoutToken.parse(text, options.pop("algorithms", ("RS256",)))
    unverified.check(expected, now=options.pop("now", NOW))
    return unverified.verify(key_set() if keys is None else keys, require_kid=options.pop("require_kid", False))


def refused(text: object, **options: Any) -> str:
    with pytest.raises(TokenError) as caught:
        verified(text, **options)
    return caught.value.code


@pytest.mark.covers("O03")
@pytest.mark.parametrize("typ", ["logout+jwt", "LOGOUT+JWT", "application/logout+jwt", "JWT", "jwt", REMOVED])
def test_a_logout_token_is_typed_or_of_no_type_at_all(typ: Any) -> None:
    assert verified(logout_token({"typ": typ})) == LogoutToken(ISSUER, "u-1", "s-1", "j-1")


@pytest.mark.covers("O03", "J22")
@pytest.mark.parametrize(
    "typ", ["at+jwt", "secevent+jwt", "application/at+jwt", "token-userinfo+jwt", "logout", "", None, 1, ["JWT"]]
)
def test_a_token_of_another_kind_is_no_logout_token(typ: Any) -> None:
    assert refused(logout_token({"typ": typ})) == "token_type_wrong"


@pytest.mark.covers("O03")
@pytest.mark.parametrize(("left_out", "expected"), [("sub", (None, "s-1")), ("sid", ("u-1", None))])
def test_it_names_a_subject_a_session_or_both(left_out: str, expected: tuple[str | None, str | None]) -> None:
    said = verified(logout_token(**{left_out: REMOVED}))

    assert (said.subject, said.sid) == expected


@pytest.mark.covers("O03")
@pytest.mark.parametrize("length", [1, 1000])
def test_the_shortest_and_the_longest_names(length: int) -> None:
    said = verified(logout_token(sid="s" * length, jti="j" * length))

    assert (said.sid, said.jti) == ("s" * length, "j" * length)


SPOILT: list[tuple[str, dict[str, Any]]] = [
    ("issuer_mismatch", {"iss": REMOVED}),
    ("issuer_mismatch", {"iss": ISSUER + "/"}),
    ("issuer_mismatch", {"iss": "https://betahaus.cobot.me"}),
    ("issuer_mismatch", {"iss": [ISSUER]}),
    ("audience_mismatch", {"aud": REMOVED}),
    ("audience_mismatch", {"aud": "other"}),
    ("audience_untrusted", {"aud": [CLIENT_ID, "other"]}),
    ("authorized_party_mismatch", {"azp": "other"}),
    ("time_malformed", {"exp": REMOVED}),
    ("time_malformed", {"exp": "soon"}),
    ("expired", {"exp": NOW - 60, "iat": NOW - 120}),
    ("exp_too_far", {"exp": NOW + 367 * 86400}),
    ("time_malformed", {"iat": REMOVED}),
    ("time_malformed", {"iat": True}),
    ("clock_skew", {"iat": NOW + 61, "exp": NOW + 120}),
    ("issued_too_long_ago", {"iat": NOW - 601}),
    ("exp_not_after_iat", {"iat": NOW, "exp": NOW}),
    ("not_yet_valid", {"nbf": NOW + 61}),
    ("logout_of_nobody", {"sub": REMOVED, "sid": REMOVED}),
    ("subject_malformed", {"sub": None}),
    ("subject_malformed", {"sub": ""}),
    ("subject_malformed", {"sub": ["u-1"]}),
    ("subject_malformed", {"sub": "u" * 256}),
    ("session_malformed", {"sid": None}),
    ("session_malformed", {"sid": ""}),
    ("session_malformed", {"sid": 7}),
    ("session_malformed", {"sid": "s" * 1001}),
    ("session_malformed", {"sid": "s\n"}),
    ("event_missing", {"events": REMOVED}),
    ("event_missing", {"events": {}}),
    ("event_missing", {"events": EVENT}),
    ("event_missing", {"events": [EVENT]}),
    ("event_missing", {"events": {EVENT: None}}),
    ("event_missing", {"events": {EVENT: "yes"}}),
    ("event_missing", {"events": {EVENT + "/": {}}}),
    ("event_missing", {"events": {"https://schemas.openid.net/event/backchannel-logout": {}}}),
    ("nonce_unexpected", {"nonce": "n-1"}),
    ("nonce_unexpected", {"nonce": None}),
    ("jti_malformed", {"jti": REMOVED}),
    ("jti_malformed", {"jti": ""}),
    ("jti_malformed", {"jti": 1}),
    ("jti_malformed", {"jti": "j" * 1001}),
]


@pytest.mark.covers("O03")
@pytest.mark.parametrize(
    ("code", "changes"), SPOILT, ids=[f"{code}-{number}" for number, (code, _) in enumerate(SPOILT)]
)
def test_each_rule_about_its_claims(code: str, changes: dict[str, Any]) -> None:
    assert refused(logout_token(**changes)) == code


def test_every_rule_has_a_token_that_it_alone_refuses() -> None:
    for rule in LOGOUT_RULES:
        others = [other for other in LOGOUT_RULES if other is not rule]
        assert any(_passes(changes, others) and not _passes(changes, [rule]) for _, changes in SPOILT), rule.about


def test_each_rule_says_what_it_is_about_and_where_it_is_written_down() -> None:
    own = [(rule.about, rule.section) for rule in LOGOUT_RULES[7:]]

    assert [rule.about for rule in LOGOUT_RULES[:7]] == ["iss", "aud", "azp", "exp", "iat", "exp after iat", "nbf"]
    assert own == [
        ("sub or sid", "Back-Channel Logout 2.6 (4)"),
        ("events", "Back-Channel Logout 2.6 (5)"),
        ("nonce", "Back-Channel Logout 2.6 (6)"),
        ("jti", "Back-Channel Logout 2.4"),
    ]


def _passes(changes: dict[str, Any], rules: Any) -> bool:
    try:
        for rule in rules:
            rule.check(logout_claims(**changes), EXPECTED, NOW)
    except TokenError:
        return False
    return True


@pytest.mark.covers("O03")
def test_more_in_the_event_and_other_events_do_no_harm() -> None:
    assert verified(logout_token(events={EVENT: {"reason": "bedtime"}, "https://other.example/event": 1}))


@pytest.mark.covers("O03")
def test_the_limits_of_its_times_are_those_of_id_tokens() -> None:
    assert verified(logout_token(iat=NOW - 600))
    assert verified(logout_token(exp=NOW - 59, iat=NOW - 120))
    assert refused(logout_token(iat=NOW - 31), expected=EXPECTED._replace(max_iat_age=30)) == "issued_too_long_ago"
    assert verified(
        logout_token(aud=[CLIENT_ID, "other"], azp=CLIENT_ID), expected=EXPECTED._replace(trusted_audiences=["other"])
    )


@pytest.mark.covers("O03", "J01", "J04")
def test_it_is_signed_with_an_algorithm_that_is_configured() -> None:
    body = b64(as_json(logout_claims()))
    for alg in ("none", "None", "HS256"):
        header = b64(as_json({"alg": alg, "typ": "logout+jwt"}))
        assert refused(f"{header}.{body}.{b64(b'x')}") == "algorithm_forbidden"
    assert refused(f"{b64(as_json({'alg': 'none'}))}.{body}.") == "token_malformed"
    elliptic = token(logout_claims(), {"typ": "logout+jwt"}, key=ec_key(), alg="ES256")
    assert refused(elliptic) == "algorithm_forbidden"
    assert verified(elliptic, key_set(jwk(ec_key())), algorithms=("RS256", "ES256"))


@pytest.mark.covers("O03", "J02")
def test_the_provider_s_document_can_only_narrow_its_algorithms() -> None:
    unverified = UnverifiedLogoutToken.parse(logout_token(), ("RS256", "ES256"))

    unverified.check_algorithm(("RS256",))
    with pytest.raises(TokenError, match="algorithm_forbidden"):
        unverified.check_algorithm(("ES256",))


@pytest.mark.covers("O03", "J23")
def test_only_the_issuer_s_keys_sign_it() -> None:
    assert refused(logout_token(key=rsa_key(1))) == "signature_invalid"
    assert refused(logout_token({"kid": "k2"})) == "key_unknown"
    assert refused(logout_token({"kid": REMOVED}), require_kid=True) == "kid_required"
    unverified = UnverifiedLogoutToken.parse(logout_token(key=rsa_key(1)), ("RS256",))
    assert unverified.jws.is_signed_by(key_set(), require_kid=False) is False
    assert unverified.jws.is_signed_by(key_set(jwk(rsa_key(1))), require_kid=False) is True


@pytest.mark.covers("O03")
@pytest.mark.parametrize("text", [None, 1, b"x", "", "a.b", "a.b.c.d", "x" * 20_000])
def test_what_is_no_token_at_all(text: object) -> None:
    assert refused(text) in ("token_malformed", "token_too_large")


@pytest.mark.covers("O03", "J16", "J21")
@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"{", b'{"iss": "a", "iss": "b"}'])
def test_its_payload_is_one_strict_object(payload: bytes) -> None:
    assert refused(token(payload, {"typ": "logout+jwt"})) == "payload_malformed"


def test_who_it_claims_to_be_from_is_text_or_nobody() -> None:
    claimed = [
        UnverifiedLogoutToken.parse(logout_token(iss=iss), ("RS256",)).claimed_issuer for iss in (ISSUER, 1, None)
    ]

    assert claimed == [ISSUER, None, None]


@pytest.mark.covers("O03", "J22")
def test_a_logout_token_logs_nobody_in_and_an_id_token_ends_nothing() -> None:
    from .tokens import claims, verify

    with pytest.raises(TokenError, match="token_type_wrong"):
        verify(logout_token(nonce="n-0S6_WzA2Mj"))
    with pytest.raises(TokenError, match="nonce_mismatch"):  # of a provider that does not type them
        verify(logout_token({"typ": "JWT"}))
    assert refused(token(claims())) == "event_missing"


@pytest.mark.covers("L02")
def test_its_repr_shows_no_claim() -> None:
    assert "u-1" not in repr(UnverifiedLogoutToken.parse(logout_token(), ("RS256",)))
