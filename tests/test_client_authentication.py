"""Clients that prove who they are with an assertion: private_key_jwt, client_secret_jwt, their keys and settings."""

import base64
import json
import logging
import subprocess
import sys
from typing import Any, Literal
from urllib.parse import quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from flask import Flask, request
from joserfc.jwk import ECKey, OKPKey, RSAKey

from cobot_oidc import CobotOIDC
from cobot_oidc.errors import CobotOIDCError, ConfigurationError
from cobot_oidc.protocol.client_keys import public_key_set, read_keys
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.keys import rsa_key

from .conftest import CALLBACK, SECRET_KEY, Clock, MakePortal, Visitor

SECRET = "a secret of the client's own, of 64 characters, for every HMAC!!"
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, encryption: Any = None) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()  # type: ignore[no-any-return]


def rsa_jwk(**more: Any) -> dict[str, Any]:
    return {**rsa_key(0).as_dict(private=True), **more}


KEYS: dict[str, tuple[Any, str | None, str]] = {
    "RSA": (rsa_jwk(), None, "RS256"),
    "RSA as PEM": (rsa_key(0).as_pem(private=True).decode(), None, "RS256"),
    "RSA for PS256": (rsa_jwk(alg="PS256"), None, "PS256"),
    "RSA as JSON, PS384 by the setting": (json.dumps(rsa_jwk()), "PS384", "PS384"),
    "P-256": (pem(EC_KEY), None, "ES256"),
    "P-256 in the older form": (pem(EC_KEY, PrivateFormat.TraditionalOpenSSL), None, "ES256"),
    "P-384": (ECKey.generate_key("P-384").as_dict(private=True), None, "ES384"),
    "P-521": (ECKey.generate_key("P-521").as_dict(private=True), None, "ES512"),
    "Ed25519": (pem(ed25519.Ed25519PrivateKey.generate()), None, "EdDSA"),
    "Ed25519 as JWK": (OKPKey.generate_key("Ed25519").as_dict(private=True), None, "EdDSA"),
}


def with_key(key: Any, **more: Any) -> dict[str, Any]:
    return {
        "COBOT_OIDC_CLIENT_SECRET": None,
        "COBOT_OIDC_CLIENT_KEY": key,
        "COBOT_OIDC_CLIENT_AUTH": "private_key_jwt",
        **more,
    }


def registered(cobot: StandIn, keys: Any, algorithm: str | None = None) -> None:
    public = public_key_set(read_keys(keys, algorithm))
    cobot.register_client("portal", secret=None, redirect_uri=CALLBACK, public_keys=public)


def refusal(**settings: Any) -> ConfigurationError:
    app = Flask("portal")
    app.config.update({"SECRET_KEY": SECRET_KEY, "COBOT_OIDC_CLIENT_ID": "portal"} | settings)
    with pytest.raises(ConfigurationError) as raised:
        CobotOIDC(app)
    return raised.value


# ------------------------------------------------------------------ logging in


@pytest.mark.covers("P08", "F27")
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by joserfc, which verifies at the stand-in
@pytest.mark.parametrize("name", KEYS)
def test_a_client_proves_itself_with_its_key(make_portal: MakePortal, cobot: StandIn, name: str) -> None:
    key, algorithm, expected = KEYS[name]
    registered(cobot, key, algorithm)
    portal = make_portal(**with_key(key, COBOT_OIDC_CLIENT_AUTH_ALGORITHM=algorithm))

    assert Visitor(portal, cobot).log_in("/desk").status_code == 200
    [request] = cobot.token_requests
    assert jwt.get_unverified_header(request["client_assertion"][0])["alg"] == expected
    assert request["client_id"] == ["portal"]
    assert "client_secret" not in request


@pytest.mark.covers("P08", "F27")
@pytest.mark.parametrize("algorithm", [None, "HS256", "HS384", "HS512"])
def test_a_client_proves_that_it_knows_its_secret_without_sending_it(
    make_portal: MakePortal, cobot: StandIn, algorithm: str | None
) -> None:
    cobot.register_client("portal", secret=SECRET, redirect_uri=CALLBACK, authentication="client_secret_jwt")
    portal = make_portal(
        COBOT_OIDC_CLIENT_SECRET=SECRET,
        COBOT_OIDC_CLIENT_AUTH="client_secret_jwt",
        COBOT_OIDC_CLIENT_AUTH_ALGORITHM=algorithm,
    )

    assert Visitor(portal, cobot).log_in("/desk").status_code == 200
    [request] = cobot.token_requests
    assert jwt.get_unverified_header(request["client_assertion"][0])["alg"] == (algorithm or "HS256")
    assert "client_secret" not in request
    assert SECRET not in str(request)


@pytest.mark.covers("P09")
def test_an_assertion_is_for_this_issuer_alone_for_a_minute_and_never_the_same(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    registered(cobot, pem(EC_KEY))
    cobot.take_pushed_requests()
    visitor = Visitor(make_portal(**with_key(pem(EC_KEY))), cobot)

    visitor.log_in("/desk")
    visitor.log_in("/co-up/desk")

    assertions = [request["client_assertion"][0] for request in cobot.token_requests]
    said = [jwt.decode(each, options={"verify_signature": False}) for each in assertions]
    assert [each["aud"] for each in said] == [cobot.issuer, cobot.space_issuer("co-up")]
    for each in said:
        assert each["iss"] == each["sub"] == "portal"
        assert each["iat"] == int(clock())
        assert each["exp"] - each["iat"] == 60
        assert len(each["jti"]) >= 43
    assert len({each["jti"] for each in said}) == 2
    header = jwt.get_unverified_header(assertions[0])
    assert header.keys() == {"alg", "typ", "kid"}
    assert header["typ"] == "client-authentication+jwt"


@pytest.mark.covers("P09")
def test_only_the_operator_can_name_another_audience(make_portal: MakePortal, cobot: StandIn) -> None:
    """The stand-in takes its issuer alone, so this login ends there; an older provider would take the assertion."""
    registered(cobot, pem(EC_KEY))
    endpoint = f"{cobot.issuer}/oauth/access_token"
    visitor = Visitor(make_portal(**with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_AUTH_AUDIENCE=endpoint)), cobot)

    answer = visitor.browser.get(visitor.answer(visitor.begin("/desk")))

    assert answer.status_code == 500
    assert "client_refused" not in answer.text
    [request] = cobot.token_requests
    said = jwt.decode(request["client_assertion"][0], options={"verify_signature": False})
    assert said["aud"] == endpoint


@pytest.mark.covers("P08")
def test_a_key_that_the_provider_does_not_know_is_refused(
    make_portal: MakePortal, cobot: StandIn, login_failures: list[CobotOIDCError]
) -> None:
    registered(cobot, rsa_jwk())
    visitor = Visitor(make_portal(**with_key(pem(EC_KEY))), cobot)

    assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 500
    [error] = login_failures
    assert error.code == "client_refused"
    assert "no secret was sent" not in str(error)
    assert "flask cobot keys --client" in error.hint


@pytest.mark.covers("L01", "P10")
@pytest.mark.parametrize("part", ["token", "pushed_request"])
@pytest.mark.parametrize("repeated", ["client_assertion", "state"])
def test_what_the_provider_repeats_of_an_assertion_is_told_nobody(
    make_portal: MakePortal,
    cobot: StandIn,
    login_failures: list[CobotOIDCError],
    part: Literal["token", "pushed_request"],
    repeated: str,
) -> None:
    registered(cobot, pem(EC_KEY))
    cobot.take_pushed_requests()
    visitor = Visitor(make_portal(**with_key(pem(EC_KEY))), cobot)

    def repeats(answer: dict[str, Any]) -> dict[str, Any]:
        said = request.form.get(repeated, request.form["client_assertion"])
        return answer | {"error": "invalid_scope", "error_description": f"you sent {said}"}

    cobot.alter(part, repeats)

    if part == "token":
        visitor.get(visitor.answer(visitor.begin("/desk")))
    else:
        visitor.browser.get("/cobot/login")

    [error] = login_failures
    assert error.details["description"] == "not shown, as it repeats a secret"  # the watch looks everywhere else


@pytest.mark.covers("L01", "F27")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_provider_that_repeats_the_secret_as_it_was_sent_writes_it_into_no_log(
    make_portal: MakePortal, cobot: StandIn, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cobot_oidc")
    secret = "s3+c/r=t of&the%portal"
    cobot.register_client("portal", secret=secret, redirect_uri=CALLBACK, name="Portal")
    visitor = Visitor(make_portal(COBOT_OIDC_CLIENT_SECRET=secret, COBOT_OIDC_CLIENT_AUTH=method), cobot)
    sent = quote_plus(secret)
    if method == "client_secret_basic":
        sent = base64.b64encode(f"portal:{sent}".encode()).decode()
    cobot.alter("token", lambda _: {"error": "invalid_request", "error_description": f"not liked: {sent}"})

    assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 502
    assert "not shown, as it repeats a secret" in caplog.text
    assert sent not in "".join(record.getMessage() for record in caplog.records if record.name == "cobot_oidc")


def test_the_first_key_signs_and_the_provider_knows_each(make_portal: MakePortal, cobot: StandIn) -> None:
    old, new = rsa_jwk(kid="old"), pem(EC_KEY)
    registered(cobot, [old, new])

    for keys, kid in (([old, new], "old"), ([new, old], read_keys(new)[0].kid)):
        assert Visitor(make_portal(**with_key(keys)), cobot).log_in("/desk").status_code == 200
        assertion = cobot.token_requests[-1]["client_assertion"][0]
        assert jwt.get_unverified_header(assertion)["kid"] == kid


def test_a_key_alone_says_how_the_client_proves_itself(make_portal: MakePortal, cobot: StandIn) -> None:
    registered(cobot, pem(EC_KEY))
    portal = make_portal(COBOT_OIDC_CLIENT_SECRET=None, COBOT_OIDC_CLIENT_KEY=pem(EC_KEY))

    assert Visitor(portal, cobot).log_in("/desk").status_code == 200


@pytest.mark.covers("P08")
def test_the_provider_s_document_never_says_how_the_client_proves_itself(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    cobot.alter("metadata", {"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_jwt"]})

    assert Visitor(make_portal(), cobot).log_in("/desk").status_code == 200
    assert cobot.token_requests[-1]["client_secret"] == ["s3cret-of-the-portal"]


@pytest.mark.covers("P08")
def test_a_space_with_an_issuer_of_its_own_has_a_key_of_its_own(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.domains["members.localhost"] = "nebenan"
    issuer = f"http://members.localhost:{cobot.port}"
    public = public_key_set(read_keys(pem(EC_KEY)))
    cobot.register_client("own", secret=None, redirect_uri=f"{CALLBACK}/nebenan", public_keys=public)
    cobot.take_pushed_requests("allowed")
    own = {
        "issuer": issuer,
        "client_id": "own",
        "client_key": pem(EC_KEY),
        "pushed_authorization_requests": True,
    }
    visitor = Visitor(make_portal(COBOT_OIDC_SPACE_ISSUERS={"nebenan": own}), cobot)

    assert visitor.log_in("/nebenan/desk").status_code == 200
    assert cobot.token_requests[-1]["client_id"] == ["own"]
    assert "client_assertion" in cobot.token_requests[-1]
    assert cobot.asked("/oauth/par") == 1
    assert visitor.log_in("/desk").status_code == 200
    assert "client_assertion" not in cobot.token_requests[-1]
    assert cobot.asked("/oauth/par") == 1


# ------------------------------------------------------------------ what cannot be a client's key


SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
WEAK: dict[str, tuple[Any, str]] = {
    "RSA of 1024 bits": (pem(SMALL), "2048 to 8192 bits"),
    "RSA with e = 3": (pem(rsa.generate_private_key(3, 2048)), "exponent"),
    "DSA": (pem(dsa.generate_private_key(2048)), "RSA, EC or Ed25519"),
    "X25519": (pem(x25519.X25519PrivateKey.generate()), "RSA, EC or Ed25519"),
    "Ed448": (pem(ed448.Ed448PrivateKey.generate()), "unknown crv"),
    "secp256k1": (pem(ec.generate_private_key(ec.SECP256K1())), "crv"),
    "a public key": (
        EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "not a private key",
    ),
    "a public JWK": (rsa_key(0).as_dict(private=False), "not a private JWK"),
    "a shared secret": ({"kty": "oct", "k": "c2VjcmV0", "d": ""}, "not a private JWK"),
    "a passphrase": (pem(EC_KEY, encryption=BestAvailableEncryption(b"hunter2")), "passphrase"),
    "a passphrase in the older form": (
        pem(EC_KEY, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"hunter2")),
        "passphrase",
    ),
    "another use": (rsa_jwk(use="enc"), "not for signing"),
    "other operations": (rsa_jwk(key_ops=["verify"]), "not for signing"),
    "operations that are none": (rsa_jwk(key_ops=5), "not for signing"),
    "another type's algorithm": (rsa_jwk(alg="ES256"), "RS256"),
    "no algorithm": (rsa_jwk(alg="none"), "RS256"),
    "HMAC": (rsa_jwk(alg="HS256"), "RS256"),
    "an algorithm that is a list": (rsa_jwk(alg=["RS256"]), "RS256"),
    "an empty kid": (rsa_jwk(kid=""), "kid"),
    "a kid with a blank": (rsa_jwk(kid="a b"), "kid"),
    "a long kid": (rsa_jwk(kid="k" * 257), "kid"),
    "a kid that is a number": (rsa_jwk(kid=1), "kid"),
    "numbers that do not fit": (rsa_jwk(d=rsa_key(1).as_dict(private=True)["d"]), "numbers"),
    "a number that is none": (rsa_jwk(d=5), "numbers"),
    "JSON that is none": ('{"kty": "RSA", "kty": "EC"}', "neither a PEM text nor a JWK"),
    "a path": ("/etc/ssl/private/key.pem", "PEM"),
    "two of one name": ([rsa_jwk(kid="a"), {**rsa_key(1).as_dict(private=True), "kid": "a"}], "the same kid"),
    "five": ([rsa_jwk(kid=str(number)) for number in range(5)], "1 to 4 keys"),
    "an empty set": ({"keys": []}, "1 to 4 keys"),
    "a list of numbers": ([1], "neither a PEM text nor a JWK"),
}


@pytest.mark.covers("P10")
@pytest.mark.parametrize("name", WEAK)
def test_a_key_that_cannot_be_a_client_s_is_refused_when_the_app_starts(name: str) -> None:
    key, reason = WEAK[name]

    error = refusal(**with_key(key))

    assert error.code == "setting_invalid"
    assert error.details["setting"] == "COBOT_OIDC_CLIENT_KEY"
    assert reason in str(error.details["expected"])
    assert "hunter2" not in str(error)
    given = json.dumps(key)
    assert len(given) < 60 or given[40:60] not in str(error)


@pytest.mark.covers("P10")
@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        (with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_AUTH_ALGORITHM="RS256"), "CLIENT_KEY"),
        (with_key(rsa_jwk(alg="PS256"), COBOT_OIDC_CLIENT_AUTH_ALGORITHM="RS256"), "CLIENT_KEY"),
        (with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_AUTH_ALGORITHM="none"), "CLIENT_AUTH_ALGORITHM"),
        (with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_SECRET="s3cret"), "CLIENT_AUTH"),
        (with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_AUTH="none"), "CLIENT_AUTH"),
        (with_key(None), "CLIENT_AUTH"),
        (with_key(5), "CLIENT_KEY"),
        (with_key(""), "CLIENT_KEY"),
        ({"COBOT_OIDC_CLIENT_SECRET": SECRET, "COBOT_OIDC_CLIENT_KEY": pem(EC_KEY)}, "CLIENT_AUTH"),
        ({"COBOT_OIDC_CLIENT_SECRET": "s" * 31, "COBOT_OIDC_CLIENT_AUTH": "client_secret_jwt"}, "CLIENT_SECRET"),
        (
            {
                "COBOT_OIDC_CLIENT_SECRET": "s" * 47,
                "COBOT_OIDC_CLIENT_AUTH": "client_secret_jwt",
                "COBOT_OIDC_CLIENT_AUTH_ALGORITHM": "HS384",
            },
            "CLIENT_SECRET",
        ),
        (
            {
                "COBOT_OIDC_CLIENT_SECRET": "s" * 63,
                "COBOT_OIDC_CLIENT_AUTH": "client_secret_jwt",
                "COBOT_OIDC_CLIENT_AUTH_ALGORITHM": "HS512",
            },
            "CLIENT_SECRET",
        ),
        (
            {
                "COBOT_OIDC_CLIENT_SECRET": SECRET,
                "COBOT_OIDC_CLIENT_AUTH": "client_secret_jwt",
                "COBOT_OIDC_CLIENT_AUTH_ALGORITHM": "RS256",
            },
            "CLIENT_AUTH_ALGORITHM",
        ),
        ({"COBOT_OIDC_CLIENT_SECRET": SECRET, "COBOT_OIDC_CLIENT_AUTH_ALGORITHM": "HS256"}, "CLIENT_AUTH"),
        ({"COBOT_OIDC_CLIENT_AUTH": "client_secret_jwt"}, "CLIENT_AUTH"),
        ({"COBOT_OIDC_CLIENT_SECRET": SECRET, "COBOT_OIDC_CLIENT_AUTH_AUDIENCE": "https://op.example"}, "CLIENT_AUTH"),
        (with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_AUTH_AUDIENCE="op.example"), "CLIENT_AUTH_AUDIENCE"),
        (with_key(pem(EC_KEY), COBOT_OIDC_CLIENT_AUTH_AUDIENCE="http://op.example"), "CLIENT_AUTH_AUDIENCE"),
    ],
)
def test_settings_of_a_client_that_do_not_fit_together(settings: dict[str, Any], setting: str) -> None:
    error = refusal(**settings)

    assert error.details["setting"] == f"COBOT_OIDC_{setting}"
    assert SECRET not in str(error)
    assert "ssss" not in str(error)


@pytest.mark.covers("P10")
@pytest.mark.parametrize(
    "entry",
    [
        {"client_id": "own", "client_key": pem(SMALL)},
        {"client_id": "own", "client_secret": "s" * 31, "client_auth": "client_secret_jwt"},
        {"client_key": pem(EC_KEY)},
        {"client_id": "own", "client_key": pem(EC_KEY), "client_auth_audience": "op.example"},
        {"client_id": "own", "client_secret": "s" * 31, "pushed_authorization_requests": "yes"},
    ],
)
def test_a_client_of_a_space_is_checked_in_the_same_way(entry: dict[str, Any]) -> None:
    own = {"issuer": "https://members.example", **entry}

    error = refusal(COBOT_OIDC_SPACE_ISSUERS={"nebenan": own}, COBOT_OIDC_SPACES="nebenan")

    assert error.details["setting"] == "COBOT_OIDC_SPACE_ISSUERS"
    assert "PRIVATE KEY" not in str(error)
    assert "ssss" not in str(error)


@pytest.mark.covers("P10", "L01")
def test_no_private_part_is_shown_by_a_key_a_client_or_the_settings(make_portal: MakePortal) -> None:
    portal = make_portal(**with_key([rsa_jwk(), pem(EC_KEY)]))
    settings = portal.extensions["cobot_oidc"].settings
    client = settings.issuers.provider.client

    shown = "".join(map(repr, (settings, settings.issuers, client, *client.keys))) + str(client.keys)

    for name in ("d", "p", "q", "dp", "dq", "qi"):
        assert rsa_jwk()[name] not in shown
        assert name not in client.keys[0].public
    assert f"{EC_KEY.private_numbers().private_value}" not in shown


def test_only_an_app_with_a_key_imports_what_reads_one() -> None:
    program = """
import sys
from flask import Flask
from cobot_oidc import CobotOIDC

def start(**settings):
    app = Flask("portal")
    app.config.update(SECRET_KEY="k" * 32, COBOT_OIDC_CLIENT_ID="portal", **settings)
    CobotOIDC(app)

start(COBOT_OIDC_CLIENT_SECRET="s" * 32, COBOT_OIDC_CLIENT_AUTH="client_secret_jwt", COBOT_OIDC_USERINFO="signed")
assert not {"jwt", "cryptography", "requests"} & set(sys.modules)
import cobot_oidc.login.views
assert "cobot_oidc.protocol.client_keys" not in sys.modules
start(COBOT_OIDC_CLIENT_KEY=sys.argv[1])
assert "cobot_oidc.protocol.client_keys" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program, pem(EC_KEY)], check=True)  # noqa: S603 - our own text


def test_the_public_set_names_what_each_key_is_for() -> None:
    keys = read_keys([rsa_jwk(kid="one", alg="PS256"), pem(EC_KEY)])

    one, two = (dict(key.public) for key in keys)
    assert public_key_set(keys) == {"keys": [one, two]}

    assert one.keys() == {"kty", "n", "e", "kid", "use", "alg"}
    assert (one["kid"], one["use"], one["alg"]) == ("one", "sig", "PS256")
    assert two.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    # RFC 7638: what everybody calls a key without a name of its own
    assert two["kid"] == ECKey.import_key(pem(EC_KEY)).thumbprint()
    assert (
        read_keys(rsa_key(1).as_pem(private=True).decode())[0].kid
        == RSAKey.import_key(rsa_key(1).as_pem(private=True)).thumbprint()
    )
