"""How a client proves who it is: the form that carries it, assertions, and the client's own keys."""

import json
from dataclasses import replace
from functools import cache
from typing import Any, get_args
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from cobot_oidc.protocol.authentication import AssertionTerms, authenticated, client_assertion
from cobot_oidc.protocol.client import Client, ClientAuthentication
from cobot_oidc.protocol.client_keys import ClientKey, KeyUnfit, public_key_set, read_keys
from cobot_oidc.protocol.keys import KeySet

ISSUER = "https://op.example"
NOW = 1_800_000_000.9
TERMS = AssertionTerms(ISSUER, NOW, "the-token-id")
SECRET = "s" * 64


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return {**jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True), **more}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), **more}
    return {**jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True), **more}


RSA = rsa.generate_private_key(65537, 2048)
P256, P384, P521 = map(ec.generate_private_key, (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any, form: Any = PrivateFormat.PKCS8, encryption: Any = NoEncryption()) -> str:  # noqa: B008 - a constant
    text: str = key.private_bytes(Encoding.PEM, form, encryption).decode()
    return text


OLD_WITH_PASSPHRASE = pem(P256, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"passphrase"))


METHODS: tuple[ClientAuthentication, ...] = get_args(ClientAuthentication)


@cache
def client_of(method: ClientAuthentication) -> Client:
    secret = SECRET if method.startswith("client_secret") else None
    keys = read_keys([pem(P256), jwk(RSA)]) if method == "private_key_jwt" else ()
    return Client("portal", secret, method, keys=keys, algorithm="HS512")


@pytest.mark.covers("F27", "P08")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("with_client_id", [True, False])
def test_each_parameter_is_sent_once_with_what_the_method_needs(
    method: ClientAuthentication, with_client_id: bool
) -> None:
    given = [("a", "1"), *([("client_id", "portal")] if with_client_id else []), ("resource", "x"), ("resource", "y z")]

    form = authenticated(client_of(method), given, TERMS)

    pairs = parse_qsl(form.body, strict_parsing=True)
    names = [name for name, _ in pairs]
    assert names.count("resource") == 2
    assert len(set(names)) == len(names) - 1
    assert dict(pairs)["a"] == "1"
    assert ("client_id" in names) == (with_client_id or method != "client_secret_basic")
    assert ("client_secret" in names) == (method == "client_secret_post")
    assert ("Authorization" in form.headers) == (method == "client_secret_basic")
    assert ("client_assertion" in names) == ("client_assertion_type" in names) == method.endswith("_jwt")
    if method.endswith("_jwt"):
        assert dict(pairs)["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert dict(pairs)["client_id"] == "portal"
        assert dict(pairs)["client_assertion"] in form.credentials
    assert all(isinstance(credential, str) for credential in form.credentials)
    if method == "client_secret_basic":
        assert form.headers["Authorization"].removeprefix("Basic ") in form.credentials
    assert (SECRET in form.credentials) == method.startswith("client_secret")
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form.headers["Accept"] == "application/json"
    assert form.body not in repr(form)
    assert SECRET not in repr(form)
    assert "the-token-id" not in repr(TERMS)


@pytest.mark.covers("P09")
@pytest.mark.parametrize("method", ["client_secret_jwt", "private_key_jwt"])
def test_what_an_assertion_says(method: ClientAuthentication) -> None:
    client = client_of(method)
    by_key = method == "private_key_jwt"

    assertion = client_assertion(client, TERMS)

    key, algorithm = (P256.public_key(), "ES256") if by_key else (SECRET, "HS512")
    claims = jwt.decode(
        assertion, key, [algorithm], audience=ISSUER, options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {
        "iss": "portal",
        "sub": "portal",
        "aud": ISSUER,  # a text: one audience, and no room for another
        "jti": "the-token-id",
        "iat": 1_800_000_000,
        "exp": 1_800_000_060,
    }
    kid = {"kid": client.keys[0].kid} if by_key else {}
    assert jwt.get_unverified_header(assertion) == {"alg": algorithm, "typ": "client-authentication+jwt", **kid}


@pytest.mark.covers("P09")
@pytest.mark.parametrize("method", ["client_secret_jwt", "private_key_jwt"])
def test_an_assertion_is_for_the_audience_that_the_operator_named(method: ClientAuthentication) -> None:
    client = replace(client_of(method), audience="https://op.example/token")

    claims = jwt.decode(client_assertion(client, TERMS), options={"verify_signature": False})

    assert claims["aud"] == "https://op.example/token"


def test_a_client_signs_with_sha_256_and_need_not_push_unless_it_says_so() -> None:
    client = Client("portal", SECRET, "client_secret_jwt")

    assert jwt.get_unverified_header(client_assertion(client, TERMS))["alg"] == "HS256"
    assert client.pushes is False


ALGORITHMS: list[tuple[Any, str, tuple[str, ...]]] = [
    (RSA, "RS256", ("RS384", "RS512", "PS256", "PS384", "PS512")),
    (P256, "ES256", ()),
    (P384, "ES384", ()),
    (P521, "ES512", ()),
    (ED, "EdDSA", ()),
]


@pytest.mark.covers("P10")
@pytest.mark.parametrize(("key", "usual", "others"), ALGORITHMS, ids=["RSA", "P-256", "P-384", "P-521", "Ed25519"])
def test_a_key_signs_with_what_its_type_can(key: Any, usual: str, others: tuple[str, ...]) -> None:
    every = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
    every |= {"Ed25519", "HS256", "none"}

    assert ClientKey.read(pem(key)).algorithm == ClientKey.read(jwk(key)).algorithm == usual
    for name in (usual, *others):
        assert ClientKey.read(pem(key), name).algorithm == name
        assert ClientKey.read(jwk(key, alg=name)).algorithm == name
        read = ClientKey.read(jwk(key, alg=name), name)
        assert read.algorithm == read.public["alg"] == name
        jwt.decode(read.sign({"a": 1}, typ="x"), key.public_key(), [name])
    reason = f"a key of its type signs with {' '.join((usual, *others))}$"
    for name in every - {usual, *others}:
        with pytest.raises(KeyUnfit, match=reason):
            ClientKey.read(pem(key), name)
        with pytest.raises(KeyUnfit, match=reason):
            ClientKey.read(jwk(key, alg=name))
    for nonsense in ("", [usual]):
        with pytest.raises(KeyUnfit, match=reason):
            ClientKey.read(jwk(key, alg=nonsense))


def test_an_algorithm_of_the_settings_does_not_override_that_of_the_key() -> None:
    with pytest.raises(KeyUnfit, match="its alg is not RS256, which is configured"):
        ClientKey.read(jwk(RSA, alg="PS256"), "RS256")


@pytest.mark.covers("P10")
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (5, "neither a PEM text nor a JWK"),
        ("{", "neither a PEM text nor a JWK"),
        ("[]", "PEM"),
        ('{"kty": "\ud800"}', "not a private JWK"),
        ("nothing", "RSA, EC or Ed25519"),
        ({}, "not a private JWK"),
        (jwk(RSA, kty="oct"), "not a private JWK"),
        (jwk(RSA, kty=["RSA"]), "not a private JWK"),
        ({name: value for name, value in jwk(RSA).items() if name != "d"}, "not a private JWK"),
        (jwk(RSA, use="enc"), "not for signing"),
        (jwk(RSA, key_ops=["verify"]), "not for signing"),
        (jwk(RSA, key_ops="sign"), "not for signing"),
        (jwk(P256, d="AQ"), "do not make a private key"),
        (jwk(P256, d=None), "do not make a private key"),
        (jwk(P256, x=5), "do not make a private key"),
        (jwk(RSA, d="AQ"), "do not make a private key"),
        (jwk(RSA, kid=""), "kid"),
        (jwk(RSA, kid="k" * 257), "kid"),
        (jwk(RSA, kid="a b"), "kid"),
        (jwk(RSA, kid="ä"), "kid"),
        (jwk(RSA, kid=5), "kid"),
        (pem(rsa.generate_private_key(3, 2048)), "exponent"),
        (pem(P256).replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE"), "passphrase"),
        (f"Proc-Type: 4,ENCRYPTED\n{pem(P256)}", "passphrase"),
        (OLD_WITH_PASSPHRASE.replace("Type: 4", "Type:4"), "RSA, EC or Ed25519"),
        (pem(P256).replace("M49AgEG", "M49AncG"), "RSA, EC or Ed25519"),  # an algorithm that nobody has
    ],
)
def test_what_is_no_key_of_a_client_says_why_and_shows_nothing(given: Any, reason: str) -> None:
    with pytest.raises(KeyUnfit, match=reason) as raised:
        read_keys(given)

    assert raised.value.__context__ is None or "jwk" not in str(raised.value.__context__)
    for secret in ("PRIVATE KEY", jwk(RSA)["d"], jwk(P256)["d"]):
        assert secret not in str(raised.value)


@pytest.mark.parametrize("kid", ["k", "k" * 256, "!~"])
def test_a_name_of_a_key_is_kept(kid: str) -> None:
    assert ClientKey.read(jwk(RSA, kid=kid)).kid == kid


def test_a_key_can_be_given_as_text_with_blanks_around_it_or_as_json() -> None:
    kid = ClientKey.read(pem(P256)).kid

    for given in (f"\n{pem(P256)}\n", json.dumps(jwk(P256)), f" {json.dumps(jwk(P256))}\n", jwk(P256)):
        assert ClientKey.read(given).kid == kid
    assert ClientKey.read(jwk(P256, use="sig")).kid == kid


def test_one_to_four_keys_with_different_names() -> None:
    names = [jwk(RSA, kid=str(number)) for number in range(5)]

    assert [key.kid for key in read_keys(names[:4])] == ["0", "1", "2", "3"]
    assert [key.kid for key in read_keys({"keys": names[:2]})] == ["0", "1"]
    assert [key.kid for key in read_keys(tuple(names[:1]))] == ["0"]
    none: list[Any] = [names, [], {"keys": []}]
    for given in none:
        with pytest.raises(KeyUnfit, match="1 to 4 keys"):
            read_keys(given)
    with pytest.raises(KeyUnfit, match="same kid"):
        read_keys([names[0], jwk(P256, kid="0")])


def test_the_thumbprint_names_a_key_without_a_name() -> None:
    # RFC 7638 section 3.1; RFC 8037 appendix A.3
    example = {"kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
    example["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

    assert ClientKey.read(example).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.covers("P10", "L01")
def test_what_is_registered_is_public_and_usable_and_nothing_shows_more() -> None:
    keys = client_of("private_key_jwt").keys

    published = public_key_set(keys)

    assert published == {"keys": [dict(key.public) for key in keys]}
    read = KeySet.parse(published)
    assert (len(read), read.skipped) == (2, 0)
    assert [key.algorithms for key in read] == [("ES256",), ("RS256",)]
    shown = json.dumps(published) + repr(keys) + repr(client_of("private_key_jwt"))
    for name in ("d", "p", "q", "dp", "dq", "qi"):
        assert jwk(RSA)[name] not in shown
    assert jwk(P256)["d"] not in shown
    assert "PrivateKey" not in shown
    members: Any = published["keys"]
    assert [(member["kid"], member["use"]) for member in members] == [(key.kid, "sig") for key in keys]
