"""What an error carries: what a person, an operator and a program may each safely read."""

import pickle
from collections.abc import Callable
from typing import Any, get_args

import pytest

from cobot_oidc.errors import APICode, APIError, ConfigurationCode, LoginCode, ProviderCode, TokenCode
from cobot_oidc.protocol import CobotOIDCError, ConfigurationError, LoginError, ProviderError, TokenError
from cobot_oidc.protocol.client import ClientAuthentication


@pytest.mark.covers("L06")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("setting_missing"), 500),  # L06
        (ProviderError("metadata_unusable"), 502),
        (ProviderError("provider_unreachable"), 503),
        (ProviderError("provider_not_found"), 404),
        (TokenError("signature_invalid"), 502),
        (LoginError("response_malformed"), 400),
        (LoginError("login_required"), 401),
        (LoginError("cancelled"), 403),
        (CobotOIDCError("setting_missing"), 500),
    ],
)
def test_each_kind_has_its_status(error: CobotOIDCError, status: int) -> None:
    assert error.status == status
    assert error.sentence == CobotOIDCError.entries[error.code].sentence
    assert error.hint == CobotOIDCError.entries[error.code].hint
    assert error.args == (error.code,)
    assert error.correlation_id is None


@pytest.mark.covers("L03")
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, 7),
        (1.5, 1.5),
        (-(2**63) + 1, -(2**63) + 1),
        (2**63, str(2**63)),
        (True, "True"),
        (None, "None"),
        ("a\nb\x1b[31m", "'a\\nb\\x1b[31m'"),  # L03
        ("村", "'\\u6751'"),
        (b"a", "b'a'"),
        ("x" * 198, "'" + "x" * 198 + "'"),
        ("x" * 199, "'" + "x" * 198 + "…"),
        ("x" * 10_000, "'" + "x" * 198 + "…"),
        ([1] * 10_000, ("[" + "1, " * 100)[:199] + "…"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_what_came_from_outside_fits_into_a_log(value: Any, shown: Any) -> None:
    assert TokenError("issuer_mismatch", got=value).details == {"got": shown}


@pytest.mark.parametrize("name", ["setting", "expected", "reason"])
def test_our_own_words_are_neither_escaped_nor_cut(name: str) -> None:
    words = "rediss://… or unix:///…, or 'this' " + "and that " * 50
    error = ConfigurationError("setting_invalid", **{name: words})

    assert error.details == {name: words}
    assert error.copy().details == pickle.loads(pickle.dumps(error)).details == {name: words}  # noqa: S301 - our own
    assert str(error).endswith(f"({name} {words})")


@pytest.mark.covers("L03")
@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31m", "a\u202eb", "\ud800", ["RS256"], None])
def test_what_no_words_of_ours_are_is_escaped_under_any_name(value: Any) -> None:
    assert TokenError("issuer_mismatch", expected=value).details == {"expected": ascii(value)}


@pytest.mark.covers("J18")
def test_what_is_nested_without_end_is_named_alone() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert TokenError("issuer_mismatch", got=nested).details == {"got": "<list>"}
    assert TokenError("issuer_mismatch", got=10**5000).details == {"got": "<int>"}


def test_an_error_can_be_copied_and_sent() -> None:
    try:
        raise TokenError("expired", difference_seconds=61)
    except TokenError as error:
        original = error
    for other in (original.copy(), pickle.loads(pickle.dumps(original))):  # noqa: S301 - our own
        assert type(other) is TokenError
        assert (other.code, other.details, other.status) == ("expired", {"difference_seconds": 61}, 502)
        assert other.__traceback__ is None
        assert str(other) == str(original) == f"expired: {TokenError.entries['expired'].hint} (difference_seconds 61)"
        other.details["more"] = 1
        assert "more" not in original.details


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("key_unsuitable", ("COBOT_OIDC_ALGORITHMS",)),
        ("algorithm_forbidden", ("COBOT_OIDC_ALGORITHMS",)),
        ("client_refused", ("COBOT_OIDC_CLIENT_ID", "COBOT_OIDC_CLIENT_SECRET", "COBOT_OIDC_CLIENT_AUTH")),
    ],
)
def test_a_hint_names_the_setting_to_try(code: str, settings: tuple[str, ...]) -> None:
    for setting in settings:
        assert setting in CobotOIDCError.entries[code].hint


def test_a_code_that_nobody_listed_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        LoginError("oops")  # type: ignore[arg-type] # as mypy says too


def test_a_code_of_another_class_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        TokenError("login_required")  # type: ignore[arg-type] # as mypy says too


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (ConfigurationCode, ConfigurationError),
        (ProviderCode, ProviderError),
        (TokenCode, TokenError),
        (LoginCode, LoginError),
        (APICode, APIError),
    ],
)
def test_each_class_says_something_about_each_of_its_codes(codes: Any, error: type[CobotOIDCError]) -> None:
    assert get_args(codes) == tuple(error.entries)


@pytest.mark.covers("L01")
def test_a_detail_that_repeats_the_beginning_of_a_secret_is_left_out() -> None:
    error = LoginError("provider_declined", description="your code: 0123456789abcdef", error="access_denied", number=7)
    before = dict(error.details)

    error.conceal(["something else", "0123456"])
    assert error.details == before  # shorter than what can be told from an ordinary word

    error.conceal(["something else", "01234567 and other letters"])
    assert error.details == before | {"description": "not shown, as it repeats a secret"}


@pytest.mark.covers("L01")
def test_the_shortest_secret_that_is_recognized_has_eight_characters() -> None:
    for sent, is_shown in (("0123456", True), ("01234567", False), ("01234567x", False), ("012345678x", False)):
        error = LoginError("provider_declined", description="01234567")
        error.conceal([sent])
        assert (error.details["description"] == "'01234567'") is is_shown, sent


def test_problems_found_together_are_one_error() -> None:
    first, second = ConfigurationError("setting_missing", setting="ONE"), ConfigurationError("https_required")

    alone = ConfigurationError.together([first])
    both = ConfigurationError.together([first, second])

    assert alone is first
    assert alone.problems == (first,)
    assert both.code == "settings_invalid"
    assert both.problems == (first, second)
    assert both.copy().problems == (first, second)
    sent = pickle.loads(pickle.dumps(both))  # noqa: S301 - our own bytes
    assert [(one.code, one.details) for one in sent.problems] == [(one.code, one.details) for one in both.problems]
    assert str(sent) == str(both)


SENT: list[Callable[[APIError], APIError]] = [
    lambda error: error,
    lambda error: error.copy(),
    lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
]


@pytest.mark.parametrize("sent", SENT, ids=["itself", "copied", "pickled"])
def test_what_cobot_says_of_a_call_stays_with_its_error(sent: Callable[[APIError], APIError]) -> None:
    error = APIError(
        "request_invalid",
        api_status=422,
        message="No.",
        fields={"name": "is missing"},
        request_id="r-1",
        retry_after_seconds=2,
    )

    told = sent(error)

    assert (told.api_status, told.message, told.request_id) == (422, "No.", "r-1")
    assert told.fields == {"name": "is missing"}
    assert told.retry_after_seconds == 2.0
    assert told.details == {
        "http_status": 422,
        "message": "'No.'",
        "fields": "['name']",
        "request_id": "'r-1'",
        "retry_after_seconds": 2,
    }


def test_an_error_of_a_call_that_nobody_answered_says_no_more() -> None:
    error = APIError("api_unreachable")

    assert (error.api_status, error.message, error.fields, error.request_id) == (None, "", {}, "")
    assert error.retry_after_seconds is None
    assert error.details == {}


def test_how_a_client_proves_itself() -> None:
    assert get_args(ClientAuthentication) == (
        "client_secret_post",
        "client_secret_basic",
        "client_secret_jwt",
        "private_key_jwt",
        "none",
    )
