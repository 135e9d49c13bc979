"""``flask cobot discover``, ``keys`` and ``verify``: what a provider says, as the app reads it, and nothing secret."""

import io
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import get_algorithm_by_name

from cobot_oidc.errors import TOKEN
from cobot_oidc.protocol.client_keys import public_key_set, read_keys
from cobot_oidc.protocol.id_token import RULES
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.keys import rsa_key

from ..conftest import Clock, Visitor
from .conftest import MakeApp, Run, Said

# ---------------------------------------------------------------------- discover


def test_the_document_is_shown_as_the_app_reads_it(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    said = run(make_app(), "discover")

    assert said.status == 0
    assert f"token_endpoint: {cobot.issuer}/oauth/access_token" in said.out
    assert "Not in it, or not usable: end_session_endpoint" in said.out
    assert "scopes_supported" in said.out.partition("In it, but not used: ")[2]


def test_the_document_of_a_space_is_shown(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    said = run(make_app(), "discover", "co-up", "--json")

    assert said.json["read"]["issuer"] == cobot.space_issuer("co-up")
    assert said.json["missing"] == [
        "end_session_endpoint",
        "pushed_authorization_request_endpoint",
        "userinfo_signing_alg_values_supported",
        "revocation_endpoint",
    ]


def test_a_document_that_is_refused_says_why(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.alter("metadata", {"jwks_uri": "https://evil.example/keys"})

    said = run(make_app(), "discover")
    assert said.status == 1
    assert "endpoint 'jwks_uri', got 'https://evil.example/keys'" in said.out
    assert run(make_app(), "discover", "--json").json["problem"]["code"] == "endpoint_forbidden"


def test_names_in_a_document_cannot_write_to_the_terminal(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    hostile = {"\x1b[2J\n": 1, "x" * 5000: 1, "id_token_signing_alg_values_supported": ["RS256", "\x1b[2J\nok"]}
    cobot.alter("metadata", hostile)

    said = run(make_app(), "discover")

    assert said.status == 0
    assert "\x1b" not in said.out
    assert "\nok" not in said.out
    assert len(said.out) < 3000


@pytest.mark.parametrize("command", ["discover", "keys", "verify"])
def test_a_space_that_is_not_served_is_wrong_usage(run: Run, make_app: MakeApp, command: str) -> None:
    words = ["a.b.c", "--space", "betahaus"] if command == "verify" else ["betahaus"]
    said = run(make_app(), command, *words)

    assert said.status == 2
    assert "COBOT_OIDC_SPACES" in said.err


@pytest.mark.parametrize("command", ["discover", "keys", "verify"])
def test_an_app_that_does_not_start_is_told_without_a_traceback(run: Run, make_app: MakeApp, command: str) -> None:
    said = run(
        lambda: make_app(COBOT_OIDC_CLIENT_SECRET="hunter2-of-somebody "),
        command,
        *(["-"] if command == "verify" else []),
    )

    assert said.status == 1
    assert "remove a blank at its end" in said.err
    assert "flask cobot check" in said.err


# ---------------------------------------------------------------------- keys


@pytest.mark.covers("P10")
def test_the_client_s_own_public_keys_are_printed_to_be_registered(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    keys = [rsa_key(number).as_pem(private=True).decode() for number in (0, 1)]
    own = {"issuer": "https://members.example", "client_id": "own", "client_key": keys[1]}
    app = make_app(
        COBOT_OIDC_CLIENT_SECRET=...,
        COBOT_OIDC_CLIENT_KEY=keys,
        COBOT_OIDC_SPACES=["co-up", "nebenan"],
        COBOT_OIDC_SPACE_ISSUERS={"nebenan": own},
    )

    ours, spaces = (run(app, "keys", "--client", *space) for space in ([], ["nebenan"]))

    assert ours.status == spaces.status == 0
    assert ours.json == public_key_set(read_keys(keys))
    assert spaces.json == public_key_set(read_keys(keys[1]))
    for key in (*ours.json["keys"], *spaces.json["keys"]):
        assert key.keys() == {"kty", "n", "e", "kid", "use", "alg"}
    assert cobot.requests == []


def test_a_client_without_a_key_has_none_to_show(run: Run, make_app: MakeApp) -> None:
    said = run(make_app(), "keys", "--client")

    assert (said.status, said.out) == (1, "")
    assert "COBOT_OIDC_CLIENT_KEY" in said.err


def jwk(key: Any, algorithm: str, **members: Any) -> dict[str, Any]:
    return {**get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True), **members}


def test_each_key_is_shown_with_why_it_is_not_used(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it has to be refused
    curve = ec.generate_private_key(ec.SECP256R1())
    more = [
        jwk(small, "RS256", kid="small"),
        jwk(curve, "ES256", kid="curve"),
        jwk(curve, "ES256", kid="for encryption", use="enc"),
        {"kty": "oct", "k": "hunter2-of-somebody", "kid": "symmetric"},
        {**jwk(curve, "ES256", kid="leaked"), "d": "hunter2-of-somebody"},
        {"kid": "\x1b[2J\nok" + "x" * 5000},
        7,
    ]
    cobot.alter("key_set", lambda keys: {"keys": [*keys["keys"], *more]})

    lines = run(make_app(), "keys").out.splitlines()

    def line(name: str) -> str:
        [found] = [each for each in lines if f" {name}: " in each]
        return found

    assert line("key-1") == "usable   key-1: RSA 2048 bits, use sig, alg RS256"
    assert line("small").startswith("skipped  small: RSA 1024 bits: RSA modulus is even, or does not have 2048")
    assert line("curve") == "skipped  curve: EC P-256 256 bits: its algorithms are not among RS256"
    assert line("for encryption").endswith("use is not sig")
    assert line("symmetric").endswith("symmetric")
    assert line("leaked").endswith("the provider leaks it")
    assert len(lines) == 11
    assert not any("\x1b" in each or len(each) > 300 for each in lines)


def test_a_key_set_without_a_usable_key_has_a_status_for_scripts(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.alter("key_set", lambda keys: {"keys": [{**keys["keys"][0], "use": "enc"}]})
    said = run(make_app(), "keys", "--json")
    assert (said.status, said.json["keys"][0]["reason"]) == (1, "use is not sig")

    cobot.reply("key_set", body=b"<html>")
    said = run(make_app(), "keys", "--json")
    assert (said.status, said.json["problem"]["code"]) == (1, "key_set_unusable")


# ---------------------------------------------------------------------- verify


class Login(NamedTuple):
    """What only those know who saw a login's messages."""

    token: str
    access_token: str
    nonce: str


@pytest.fixture
def login(make_app: MakeApp, cobot: StandIn) -> Login:
    return logged_in(make_app, cobot)


def logged_in(make_app: MakeApp, cobot: StandIn) -> Login:
    tokens: list[str] = []
    answers: list[dict[str, str]] = []

    def note_token(token: str) -> str:
        tokens.append(token)
        return token

    def note_answer(answer: dict[str, str]) -> dict[str, str]:
        answers.append(answer)
        return answer

    cobot.alter("id_token", note_token)
    cobot.alter("token", note_answer)
    visitor = Visitor(make_app(), cobot)
    url = visitor.begin("/desk")
    visitor.get(visitor.answer(url))
    return Login(tokens[-1], answers[-1]["access_token"], parse_qs(urlsplit(url).query)["nonce"][0])


def rules(said: Said) -> dict[str, tuple[str, str]]:
    return {each["rule"]: (each["holds"], each["code"]) for each in said.json["rules"]}


def test_every_rule_holds_for_the_token_of_a_login(run: Run, make_app: MakeApp, login: Login) -> None:
    more = ["--nonce", login.nonce, "--access-token", login.access_token]
    said = run(make_app(), "verify", login.token, *more, "--json")

    assert said.status == 0
    assert said.json["holds"] is True
    assert {rule for rule, (holds, _) in rules(said).items() if holds != "yes"} == {"auth_time", "requested claims"}
    assert {each.about for each in RULES} < rules(said).keys()


def test_the_token_is_read_from_stdin(
    run: Run, make_app: MakeApp, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{login.token}\n".encode())))

    said = run(make_app(), "verify", "-")

    assert said.status == 0
    assert "holds    signature [OIDC Core 3.1.3.7 (6)]" in said.out
    assert "unseen   nonce [OIDC Core 3.1.3.7 (11)]" in said.out
    assert "VIOLATED" not in said.out


def test_an_old_token_is_looked_at_to_its_signature(run: Run, make_app: MakeApp, login: Login, clock: Clock) -> None:
    app = make_app()
    clock.move(100_000)

    said = run(app, "verify", login.token, "--json")

    assert said.status == 1
    assert rules(said)["exp"] == ("no", "expired")
    assert rules(said)["iat"] == ("no", "issued_too_long_ago")
    assert rules(said)["signature"] == ("yes", "")


@pytest.mark.parametrize(
    ("part", "change", "rule", "code"),
    [
        ("id_token_claims", {"iss": "https://evil.example"}, "iss", "issuer_mismatch"),
        ("id_token_claims", {"aud": "another"}, "aud", "audience_mismatch"),
        ("id_token_claims", {"azp": "another"}, "azp", "authorized_party_mismatch"),
        ("id_token_claims", {"exp": "soon"}, "exp", "time_malformed"),
        ("id_token_claims", {"iat": 1}, "iat", "issued_too_long_ago"),
        ("id_token_claims", {"nbf": 2**40}, "nbf", "not_yet_valid"),
        ("id_token_claims", {"nonce": "somebody-else-s"}, "nonce", "nonce_mismatch"),
        ("id_token_claims", {"sub": ""}, "sub", "subject_malformed"),
        ("id_token_claims", {"at_hash": "AAAA"}, "at_hash", "at_hash_mismatch"),
        ("id_token_header", {"kid": "unknown"}, "key", "key_unknown"),
        ("id_token_header", {"jku": "https://evil.example"}, "header brings no key", "header_forbidden"),
        ("id_token_header", {"typ": "at+jwt"}, "typ", "token_type_wrong"),
        ("id_token", lambda token: token[:-8] + "AAAAAAAA", "signature", "signature_invalid"),
        ("id_token", lambda token: token.partition(".")[2], "form", "token_malformed"),
    ],
)
def test_the_rule_that_a_token_violates_is_named_and_the_token_is_not_shown(
    run: Run, make_app: MakeApp, cobot: StandIn, part: Any, change: Any, rule: str, code: str
) -> None:
    cobot.alter(part, change)
    login = logged_in(make_app, cobot)
    words = ("verify", login.token, "--nonce", login.nonce, "--access-token", login.access_token)

    said, shown = run(make_app(), *words, "--json"), run(make_app(), *words)

    assert (said.status, shown.status) == (1, 1)
    assert rules(said)[rule] == ("no", code)
    assert code in TOKEN
    assert f"VIOLATED {rule} [" in shown.out
    for secret in (*login, *login.token.split("."), "somebody-else-s"):
        for text in (said.out, shown.out, said.err, shown.err):
            assert secret not in text


def test_a_token_that_repeats_a_secret_in_a_claim_does_not_get_it_shown(
    run: Run, make_app: MakeApp, cobot: StandIn
) -> None:
    cobot.alter("id_token_claims", lambda claims: {**claims, "aud": claims["nonce"]})
    again = logged_in(make_app, cobot)

    said = run(make_app(), "verify", again.token, "--nonce", again.nonce)

    assert said.status == 1
    assert again.nonce not in said.out


def test_keys_that_cannot_be_fetched_are_told_and_the_claims_looked_at(
    run: Run, make_app: MakeApp, cobot: StandIn, login: Login
) -> None:
    cobot.reply("key_set", status=500)

    said = run(make_app(), "verify", login.token, "--json")

    assert said.status == 1
    assert rules(said)["key"] == ("no", "provider_failing")
    assert rules(said)["signature"] == ("not looked at", "")
    assert rules(said)["iss"] == ("yes", "")
