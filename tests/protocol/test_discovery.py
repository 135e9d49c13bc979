"""Documents that lie: R08-R13, N04, J02; OpenID Connect Discovery 1.0."""

from typing import Any

import pytest

from cobot_oidc.protocol import ConfigurationError, ProviderError, ProviderMetadata
from cobot_oidc.protocol.discovery import (
    check_issuer,
    configuration_url,
    narrow_algorithms,
    narrow_userinfo_algorithms,
    registration_endpoint,
)

from .tokens import REMOVED, as_json

COBOT = "https://www.cobot.me"
SPACE = "https://co-up.cobot.me"


def document(issuer: str = COBOT, **changes: Any) -> dict[str, Any]:
    good = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/access_token",
        "userinfo_endpoint": f"{issuer}/api/userinfo",
        "jwks_uri": f"{issuer}/jwks.json",
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
    }
    return {name: value for name, value in (good | changes).items() if value is not REMOVED}


def parse(issuer: str = COBOT, allowed_hosts: Any = None, **changes: Any) -> ProviderMetadata:
    return ProviderMetadata.parse(as_json(document(issuer, **changes)), issuer=issuer, allowed_hosts=allowed_hosts)


def test_cobots_document() -> None:
    metadata = parse()

    assert metadata.issuer == COBOT
    assert metadata.authorization_endpoint == f"{COBOT}/oauth/authorize"
    assert metadata.token_endpoint == f"{COBOT}/oauth/access_token"
    assert metadata.jwks_uri == f"{COBOT}/jwks.json"
    assert metadata.userinfo_endpoint == f"{COBOT}/api/userinfo"
    assert metadata.end_session_endpoint is None
    assert metadata.promises_response_issuer is False
    assert (metadata.pushed_request_endpoint, metadata.requires_pushed_requests) == (None, False)
    assert metadata.userinfo_signing_algorithms is None
    assert ProviderMetadata.parse(document(), issuer=COBOT) == metadata


def test_metadata_that_an_app_makes_itself_needs_no_more_than_in_the_first_release() -> None:
    by_hand = ProviderMetadata(
        issuer=COBOT,
        authorization_endpoint=f"{COBOT}/oauth/authorize",
        token_endpoint=f"{COBOT}/oauth/access_token",
        jwks_uri=f"{COBOT}/jwks.json",
        userinfo_endpoint=f"{COBOT}/api/userinfo",
        end_session_endpoint=None,
        id_token_signing_algorithms=("RS256",),
        promises_response_issuer=False,
    )

    assert by_hand == parse()


@pytest.mark.covers("P05", "P06")
@pytest.mark.parametrize(("required", "requires"), [(True, True), (False, False), ("true", False), (1, False)])
def test_a_document_that_requires_pushed_requests(required: Any, requires: bool) -> None:
    endpoint = f"{COBOT}/par"

    metadata = parse(pushed_authorization_request_endpoint=endpoint, require_pushed_authorization_requests=required)

    assert (metadata.pushed_request_endpoint, metadata.requires_pushed_requests) == (endpoint, requires)
    assert parse(pushed_authorization_request_endpoint=None).pushed_request_endpoint is None


@pytest.mark.covers("P11", "J02")
def test_a_document_can_only_narrow_the_algorithms_of_userinfo() -> None:
    both = ("RS256", "ES256")
    listed = parse(userinfo_signing_alg_values_supported=["none", "ES256", "HS256"])

    assert narrow_userinfo_algorithms(both, listed) == ("ES256",)
    assert narrow_userinfo_algorithms(both, parse()) == both
    assert narrow_algorithms(("RS256",), listed) == ("RS256",)  # of id tokens it says nothing
    with pytest.raises(ConfigurationError, match="algorithms_disjoint"):
        narrow_userinfo_algorithms(("RS256",), listed)
    for nonsense in ("ES256", [5], {"ES256": 1}):
        with pytest.raises(ProviderError) as caught:
            parse(userinfo_signing_alg_values_supported=nonsense)
        assert "userinfo_signing_alg_values_supported" in str(caught.value.details["reason"])


def test_a_space_may_keep_its_keys_at_www() -> None:
    assert parse(SPACE, jwks_uri=f"{COBOT}/jwks.json").jwks_uri == f"{COBOT}/jwks.json"


@pytest.mark.covers("R12")
@pytest.mark.parametrize(
    "issuer", [COBOT + "/", COBOT.upper(), SPACE, None, [COBOT], REMOVED, "", COBOT + ":443", "http://www.cobot.me"]
)
def test_the_issuer_is_exact(issuer: Any) -> None:
    with pytest.raises(ProviderError, match="metadata_issuer_mismatch"):
        ProviderMetadata.parse(as_json(document() | {"issuer": issuer if issuer is not REMOVED else 0}), issuer=COBOT)


@pytest.mark.covers("R08", "R09")
@pytest.mark.parametrize(
    "url", ["http://www.cobot.me/revoke", "https://evil.example/revoke", "https://www.cobot.me:8443/revoke", "", 1]
)
def test_an_endpoint_that_no_login_needs_is_left_out_where_it_may_not_be(url: object) -> None:
    allowed = "https://www.cobot.me/oauth/revoke"

    assert parse(revocation_endpoint=allowed).revocation_endpoint == allowed
    assert parse(revocation_endpoint=url) == parse()


@pytest.mark.covers("R08", "R09", "R10")
@pytest.mark.parametrize(
    "name",
    [
        *("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "registration_endpoint"),
        "pushed_authorization_request_endpoint",
    ],
)
@pytest.mark.parametrize(
    "url",
    [
        "http://www.cobot.me/x",  # R08
        "ftp://www.cobot.me/x",
        "file:///etc/passwd",
        "data:application/json,{}",
        "javascript:alert(1)",
        "https:///x",
        "https:www.cobot.me/x",
        "//www.cobot.me/x",
        "/oauth",
        "",
        "https://user@www.cobot.me/x",
        "https://user:password@www.cobot.me/x",
        "https://www.cobot.me/x#fragment",
        "https://www.cobot.me/x#",
        "https://www.cobot.me:x/",
        "https://www.cobot.me:99999/",
        "https://www.cobot.me\\@evil.example/",
        "https://www.cobot.me\n.evil.example/",
        "https://www.cobot.me /x",
        " https://www.cobot.me/x",
        "HTTPS://www.cobot.me/x",
        "https://WWW.cobot.me/x",
        "https://www.cobot.me./x",
        "https://www.cobot.me%00.evil.example/",
        "https://[::1/x",
        "https://" + "x" * 3000,
        7,
        ["https://www.cobot.me/x"],
        {"url": "https://www.cobot.me/x"},
        True,
        "https://evil.example/x",  # R09
        "https://cobot.me.evil.example/x",
        "https://evilcobot.me/x",
        "https://cobot.me/x",
        "https://localhost/x",  # R10
        "https://localhost./x",
        "http://localhost/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://017700000001/x",
        "https://0.0.0.0/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://1.2.3.4.cobot.me.5/x",
    ],
)
def test_an_endpoint_where_none_may_be(name: str, url: Any) -> None:
    read = registration_endpoint if name == "registration_endpoint" else ProviderMetadata.parse
    with pytest.raises(ProviderError) as caught:
        read(as_json(document(**{name: url})), issuer=COBOT)
    assert caught.value.code == "endpoint_forbidden"
    assert caught.value.details["endpoint"] == repr(name)


def test_where_clients_are_registered() -> None:
    def read(allowed_hosts: Any = None, **changes: Any) -> str | None:
        return registration_endpoint(as_json(document(**changes)), issuer=COBOT, allowed_hosts=allowed_hosts)

    assert read() is None
    assert read(registration_endpoint=None) is None
    assert read(registration_endpoint=f"{COBOT}/oauth/register") == f"{COBOT}/oauth/register"
    assert read(["a.example"], registration_endpoint="https://a.example/r") == "https://a.example/r"
    with pytest.raises(ProviderError, match="metadata_issuer_mismatch"):
        read(issuer=SPACE)
    with pytest.raises(ProviderError, match="metadata_unusable"):
        registration_endpoint(b"[]", issuer=COBOT)
    with pytest.raises(ConfigurationError, match="issuer_invalid"):
        registration_endpoint(document(), issuer="http://www.cobot.me")


@pytest.mark.parametrize("url", ["https://evil.example/register", "http://www.cobot.me/register", 7])
def test_no_login_fails_for_where_clients_are_registered(url: Any) -> None:
    assert parse(registration_endpoint=url) == parse()


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_an_endpoint_that_is_missing(name: str) -> None:
    for value in (REMOVED, None):
        changes: dict[str, Any] = {name: value}
        with pytest.raises(ProviderError, match="endpoint_forbidden"):
            parse(**changes)


@pytest.mark.covers("R09")
def test_hosts_that_the_operator_named() -> None:
    google = "https://accounts.google.com"
    changes: dict[str, Any] = {"token_endpoint": "https://oauth2.googleapis.com/token"}
    with pytest.raises(ProviderError):
        parse(google, **changes)
    parse(google, ["oauth2.googleapis.com"], **changes)
    parse(google, [".googleapis.com"], **changes)
    with pytest.raises(ProviderError):
        parse(google, ["googleapis.com"], **changes)
    with pytest.raises(ProviderError):
        parse(google, [".127.0.0.1", ".0.0.1"], token_endpoint="https://127.0.0.1/token")


@pytest.mark.covers("R10")
def test_addresses_are_below_no_domain() -> None:
    for host in ("127.1", "0x7f.1", "0177.1", "127.0.0.1", "1.", "10.0.1"):
        with pytest.raises(ProviderError, match="endpoint_forbidden"):
            parse(COBOT, [".1", ".", "."], token_endpoint=f"https://{host}/token")


def test_the_longest_url() -> None:
    url = f"{COBOT}/" + "x" * (2048 - len(COBOT) - 1)
    assert parse(token_endpoint=url).token_endpoint == url
    with pytest.raises(ProviderError):
        parse(token_endpoint=url + "x")


def test_where_sessions_end() -> None:
    assert parse(end_session_endpoint=f"{COBOT}/end").end_session_endpoint == f"{COBOT}/end"
    with pytest.raises(ProviderError, match="endpoint_forbidden"):
        parse(end_session_endpoint="https://evil.example/end")


def test_an_issuer_is_handed_on() -> None:
    for issuer in (COBOT, "https://op.example:8443/realms/a", "http://localhost", "https://[2001:db8::1]/"):
        assert check_issuer(issuer) == issuer


@pytest.mark.covers("R08")
@pytest.mark.parametrize(
    "issuer",
    ["http://localhost:5001", "http://www.cobot.localhost:5001", "http://127.0.0.1:5001", "http://[::1]:5001"],
)
def test_http_is_for_the_loopback_and_then_for_all_of_it(issuer: str) -> None:
    assert parse(issuer).issuer == issuer
    with pytest.raises(ProviderError):
        parse(issuer, token_endpoint="http://evil.example/token")
    with pytest.raises(ProviderError):
        parse(issuer, token_endpoint="http://10.0.0.1/token")
    with pytest.raises(ProviderError):
        parse("https://localhost", jwks_uri="http://localhost/jwks.json")


@pytest.mark.covers("R08", "R13")
@pytest.mark.parametrize(
    "issuer",
    [
        "http://www.cobot.me",
        "https://www.cobot.me?x=1",  # R13
        "https://www.cobot.me?",
        "https://www.cobot.me#x",
        "https://user@www.cobot.me",
        "https://",
        "www.cobot.me",
        "",
        None,
        7,
        "http://localhost.evil.example",
        "ftp://localhost",
        "ws://127.0.0.1:5001",
        *(f"https://www.cobot.me/a{character}b" for character in ' \t\n\x00"<>\\^`{|}ä\u200b'),
    ],
)
def test_what_is_no_issuer(issuer: Any) -> None:
    with pytest.raises(ConfigurationError, match="issuer_invalid"):
        check_issuer(issuer)
    with pytest.raises(ConfigurationError):
        ProviderMetadata.parse(document(), issuer=issuer)


@pytest.mark.covers("R13")
@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (COBOT, "https://www.cobot.me/.well-known/openid-configuration"),
        ("https://op.example/", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/realms/a", "https://op.example/realms/a/.well-known/openid-configuration"),
        ("https://op.example/realms/a/", "https://op.example/realms/a/.well-known/openid-configuration"),
    ],
)
def test_where_the_document_is(issuer: str, url: str) -> None:  # Discovery 4.1
    assert configuration_url(issuer) == url


@pytest.mark.covers("N02", "N04")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"null",
        b'"x"',
        b"\xef\xbb\xbf" + as_json(document()),
        as_json(document())[:-1] + b',"issuer":"https://www.cobot.me"}',
        as_json(document()).replace(b'"RS256"', b"NaN"),
        as_json(document()).decode().encode("utf-16"),
        as_json(document(padding="x" * 65_536)),
        b"{" * 40,
    ],
)
def test_what_is_no_document(data: bytes) -> None:
    with pytest.raises(ProviderError, match="metadata_unusable"):
        ProviderMetadata.parse(data, issuer=COBOT)


def test_the_operator_reads_why_it_is_none() -> None:
    for data, reason in ((b"<html>", "syntax"), (b"[]", "not an object")):
        with pytest.raises(ProviderError) as caught:
            ProviderMetadata.parse(data, issuer=COBOT)
        assert caught.value.details["reason"] == reason


@pytest.mark.covers("J02")
@pytest.mark.parametrize(
    ("listed", "configured", "allowed"),
    [
        (["RS256"], ("RS256",), ("RS256",)),
        (["RS256", "ES256"], ("ES256", "RS256"), ("ES256", "RS256")),
        (["RS256", "none"], ("RS256",), ("RS256",)),
        (["RS256", "HS256", "ES256"], ("RS256",), ("RS256",)),
        (REMOVED, ("RS256",), ("RS256",)),
        (["none"], ("RS256",), None),
        (["HS256"], ("RS256",), None),
        ([], ("RS256",), None),
    ],
)
def test_a_document_can_only_narrow(listed: Any, configured: Any, allowed: Any) -> None:
    metadata = parse(id_token_signing_alg_values_supported=listed)
    if allowed is None:
        with pytest.raises(ConfigurationError, match="algorithms_disjoint") as caught:
            narrow_algorithms(configured, metadata)
        assert caught.value.details == {"expected": repr(list(configured)), "got": repr(listed)}
    else:
        assert narrow_algorithms(configured, metadata) == allowed


@pytest.mark.covers("J02")
def test_no_algorithm_at_all_is_no_agreement_either() -> None:
    with pytest.raises(ConfigurationError, match="algorithms_disjoint") as caught:
        narrow_algorithms((), parse(id_token_signing_alg_values_supported=None))
    assert caught.value.details == {"expected": "[]", "got": "[]"}


@pytest.mark.covers("J02")
@pytest.mark.parametrize("listed", ["RS256", 7, [7], {"RS256": 1}])
def test_a_list_of_algorithms_is_a_list_of_names(listed: Any) -> None:
    with pytest.raises(ProviderError, match="metadata_unusable"):
        parse(id_token_signing_alg_values_supported=listed)


@pytest.mark.parametrize("value", [1, "true", None, [True], "yes"])
def test_only_true_is_a_promise(value: Any) -> None:
    assert parse(authorization_response_iss_parameter_supported=value).promises_response_issuer is False
    assert parse(authorization_response_iss_parameter_supported=True).promises_response_issuer is True


@pytest.mark.covers("R10")
@pytest.mark.parametrize(
    ("issuer", "endpoint", "is_allowed"),
    [
        ("https://op.example", "https://op.example:443/token", True),
        ("https://op.example", "https://op.example:80/token", False),
        ("https://op.example", "https://op.example:8443/token", False),
        ("https://op.example:8443", "https://op.example:8443/token", True),
        ("https://op.example:8443", "https://op.example/token", True),
        ("https://op.example:8443", "https://op.example:444/token", False),
        ("http://localhost", "http://localhost:80/token", True),
        ("http://localhost:80", "http://localhost/token", True),
        ("http://localhost", "http://localhost:81/token", False),
        ("http://localhost:5001", "http://localhost:5001/token", True),
        ("http://localhost:5001", "http://localhost/token", False),
        ("http://localhost:5001", "https://localhost:5001/token", False),
    ],
)
def test_no_document_makes_us_ask_another_port(issuer: str, endpoint: str, is_allowed: bool) -> None:
    if is_allowed:
        assert parse(issuer, token_endpoint=endpoint).token_endpoint == endpoint
        return
    with pytest.raises(ProviderError, match="endpoint_forbidden"):
        parse(issuer, token_endpoint=endpoint)
