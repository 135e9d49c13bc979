"""Dynamic client registration as values: what is asked for, and which answers are one (RFC 7591)."""

from typing import Any

import pytest

from cobot_oidc.protocol import ProviderError
from cobot_oidc.protocol.registration import LATEST_TIME, RegistrationRequest, RegistrationResponse

from .tokens import REMOVED, as_json

CALLBACK = "https://portal.example/cobot/callback"
CONFIDENTIAL = RegistrationRequest("Portal", CALLBACK, ("openid", "email"), "client_secret_post")
PUBLIC = RegistrationRequest("Portal", CALLBACK, ("openid", "email"), "none")
GOOD = {
    "client_id": "s6BhdRkqt3",
    "client_secret": "cf136dc3c1fc93f31185e5885805d",
    "client_id_issued_at": 2893256800,
    "client_secret_expires_at": 2893276800,
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "client_secret_post",
    "scope": "openid email",
    "registration_client_uri": "https://op.example/register?client_id=s6BhdRkqt3",
    "registration_access_token": "this.is.an.access.token.value.ffx83",
    "logo_uri": "https://portal.example/logo.png",
}


def parse(**changes: Any) -> RegistrationResponse:
    members = {name: value for name, value in (GOOD | changes).items() if value is not REMOVED}
    return RegistrationResponse.parse(201, as_json(members))


def refusal(status: int, body: bytes) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        RegistrationResponse.parse(status, body)
    return caught.value


def test_what_is_asked_for() -> None:
    assert CONFIDENTIAL.members() == {
        "client_name": "Portal",
        "redirect_uris": [CALLBACK],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "scope": "openid email",
        "token_endpoint_auth_method": "client_secret_post",
        "application_type": "web",
    }
    assert PUBLIC.members()["token_endpoint_auth_method"] == "none"


def test_what_the_provider_registered() -> None:
    assert parse() == RegistrationResponse(
        client_id="s6BhdRkqt3",
        client_secret="cf136dc3c1fc93f31185e5885805d",
        secret_expires_at=2893276800,
        redirect_uris=(CALLBACK,),
        authentication="client_secret_post",
        scopes=("openid", "email"),
        management_uri="https://op.example/register?client_id=s6BhdRkqt3",
        access_token="this.is.an.access.token.value.ffx83",
    )


def test_only_the_client_id_has_to_be_there() -> None:
    answer = RegistrationResponse.parse(201, b'{"client_id": "a", "client_secret": null, "scope": null}')

    assert answer == RegistrationResponse("a", None, None, None, None, None, None, None)


@pytest.mark.covers("L02")
def test_no_secret_is_shown() -> None:
    shown = repr(parse())

    assert "cf136dc3" not in shown
    assert "ffx83" not in shown


@pytest.mark.parametrize(
    ("named", "secret", "asked", "authentication"),
    [
        ("client_secret_post", "s", CONFIDENTIAL, "client_secret_post"),
        ("client_secret_basic", "s", CONFIDENTIAL, "client_secret_basic"),
        ("client_secret_post", "s", PUBLIC, "client_secret_post"),
        ("none", REMOVED, CONFIDENTIAL, "none"),
        ("none", "s", CONFIDENTIAL, "client_secret_post"),  # what Cobot's documents say
        ("none", "s", PUBLIC, "none"),
        (REMOVED, "s", CONFIDENTIAL, "client_secret_post"),
        (REMOVED, REMOVED, CONFIDENTIAL, "none"),
        (REMOVED, REMOVED, PUBLIC, "none"),
    ],
)
def test_how_the_client_proves_itself(named: Any, secret: Any, asked: RegistrationRequest, authentication: str) -> None:
    client = parse(token_endpoint_auth_method=named, client_secret=secret).client(asked)

    assert client.authentication == authentication
    assert client.client_secret == (None if authentication == "none" else "s")


@pytest.mark.parametrize("named", ["client_secret_post", "client_secret_basic"])
@pytest.mark.parametrize("asked", [CONFIDENTIAL, PUBLIC])
def test_a_client_that_needs_a_secret_and_has_none_is_unusable(named: str, asked: RegistrationRequest) -> None:
    with pytest.raises(ProviderError, match="registration_unusable"):
        parse(token_endpoint_auth_method=named, client_secret=REMOVED).client(asked)


NOT_PRINTABLE = ["", " a", "a ", "a\nFLASK_DEBUG=1", "a\r", "a\tb", "a\x00", "a\x1b[2J", "é", "\u2028", "x" * 2049]
NO_TEXT: list[Any] = [7, True, ["a"], {"a": "b"}]


@pytest.mark.parametrize("name", ["client_id", "client_secret", "registration_client_uri", "registration_access_token"])
@pytest.mark.parametrize("value", [*NOT_PRINTABLE, *NO_TEXT])
def test_a_value_that_could_be_more_than_one_word_of_a_file_is_unusable(name: str, value: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(**{name: value})
    assert caught.value.code == "registration_unusable"
    assert set(caught.value.details) == {"reason"}  # and nothing of the value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("client_id", [REMOVED, None]),
        ("client_secret_expires_at", [-1, 1.5, True, "0", LATEST_TIME + 1, [0]]),
        ("redirect_uris", [CALLBACK, [7], [None], ["a\nb"], ["x" * 2049], {"uri": CALLBACK}]),
        ("token_endpoint_auth_method", ["private_key_jwt", "NONE", "", 7, ["none"]]),
        ("scope", [7, ["openid"], "openid\nemail", "openid  email", 'a"b', "é"]),
    ],
)
def test_a_member_of_another_type_is_unusable(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ProviderError, match="registration_unusable"):
            parse(**{name: value})


def test_what_is_at_its_limit_is_taken() -> None:
    answer = parse(client_secret_expires_at=LATEST_TIME, client_secret="x" * 2048, redirect_uris=["x" * 2048])

    assert answer.secret_expires_at == 253402300799  # the year 9999, the last one that Python's dates have
    assert len(answer.client_secret or "") == 2048
    assert answer.redirect_uris == ("x" * 2048,)
    assert parse(client_secret_expires_at=0).secret_expires_at == 0
    assert parse(scope="", redirect_uris=[]).scopes == ()


@pytest.mark.covers("N02")
def test_an_answer_has_at_most_64_kb() -> None:
    small = as_json(GOOD)
    padded = small + b" " * (64 * 1024 - len(small))

    assert RegistrationResponse.parse(201, padded) == parse()
    assert refusal(201, padded + b" ").details["reason"] == "too_large"


@pytest.mark.covers("J16", "N04")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"null",
        b'{"client_id": "a", "client_id": "b"}',
        b'{"client_id": "a", "client_secret": "b", "client_secr\\u0065t": "c"}',
        b'{"client_id": "a", "x": NaN}',
        b"\xef\xbb\xbf" + as_json(GOOD),
        as_json(GOOD | {"padding": "x" * 65_536}),
        b"[" * 40,
    ],
)
def test_what_is_no_strict_json_object_is_unusable(body: bytes) -> None:
    assert refusal(201, body).code == "registration_unusable"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"error": "invalid_redirect_uri", "error_description": "no"}', "registration_refused"),
        (400, b'{"error": "invalid_client_metadata"}', "registration_refused"),
        (422, b'{"error": "something of its own"}', "registration_refused"),
        (401, b"", "registration_refused"),
        (403, b"<html>", "registration_refused"),
        (400, b"<html>", "registration_unusable"),
        (400, b'{"error": 7}', "registration_unusable"),
        (404, b"", "registration_unusable"),
        (399, b'{"error": "invalid_redirect_uri"}', "registration_unusable"),
        (499, b'{"error": "invalid_redirect_uri"}', "registration_refused"),
        (500, b'{"error": "invalid_redirect_uri"}', "registration_unusable"),
        (302, b"", "registration_unusable"),
        (200, as_json(GOOD), "registration_unusable"),  # www.cobot.me answers 200 to what it does not know
        (200, b'{"error": "invalid_redirect_uri"}', "registration_unusable"),
    ],
)
def test_every_status_but_201_is_a_refusal(status: int, body: bytes, code: str) -> None:
    error = refusal(status, body)

    assert error.code == code
    assert error.details["http_status"] == status


def test_a_refusal_without_words_has_none() -> None:
    assert refusal(401, b"").details == {"http_status": 401, "error": "''", "description": "''"}


@pytest.mark.covers("L03")
def test_what_the_provider_says_of_a_refusal_is_escaped_and_shortened() -> None:
    error = refusal(400, as_json({"error": "invalid_redirect_uri", "error_description": "\x1b[2J\n" + "x" * 1000}))

    assert str(error).isprintable()
    assert error.details["error"] == "'invalid_redirect_uri'"
    assert len(str(error.details["description"])) == 200
