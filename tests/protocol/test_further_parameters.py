"""What an app may add to the authorization request, and what of it a login remembers."""

import json
from typing import Any

import pytest

from cobot_oidc.errors import ConfigurationError
from cobot_oidc.protocol.further_parameters import NOTHING, OURS, FurtherParameters, Remembered

MFA = "urn:example:mfa"


def read(**given: Any) -> FurtherParameters:
    return FurtherParameters.read(given)


def refused(given: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        FurtherParameters.read(given)
    assert raised.value.code == "authorization_request_invalid"
    return raised.value


def test_nothing_is_added_by_nothing() -> None:
    for given in (None, {}, {"acr_values": None}):
        further = FurtherParameters.read(given)
        assert further == FurtherParameters((), None, NOTHING)
        assert further.remembered.stored() is None


def test_parameters_are_sent_as_they_are_and_in_their_order() -> None:
    further = read(b="ä &", resource=["https://a.example", "urn:b"], a="2", prompt="login consent")

    assert further.pairs == (
        ("b", "ä &"),
        ("resource", "https://a.example"),
        ("resource", "urn:b"),
        ("a", "2"),
        ("prompt", "login consent"),
    )


@pytest.mark.covers("P02")
@pytest.mark.parametrize("name", sorted(OURS))
def test_what_every_login_sets_itself_is_refused(name: str) -> None:
    for value in ("x", None):
        error = refused({name: value})
        assert error.details["parameter"] == repr(name)


@pytest.mark.covers("P02")
def test_the_list_of_what_is_ours() -> None:
    of_a_login = {"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"}
    of_its_proof = {"code_challenge", "code_challenge_method", "code_verifier", "dpop_jkt"}
    instead_of_it = {"request", "request_uri", "registration", "id_token_hint"}
    of_the_client = {"client_secret", "client_assertion", "client_assertion_type", "grant_type", "code"}

    assert of_a_login | of_its_proof | instead_of_it | of_the_client == OURS


@pytest.mark.covers("P02")
@pytest.mark.parametrize("name", ["", "a b", "a\n", "ä", "a&b", "x" * 65, 5, None, "a=b"])
def test_a_name_is_a_name(name: Any) -> None:
    refused({name: "x"})


@pytest.mark.parametrize("name", ["a", "A-1._", "x" * 64])
def test_any_other_name_is_sent(name: str) -> None:
    assert read(**{name: "x"}).pairs == ((name, "x"),)


@pytest.mark.covers("P02")
@pytest.mark.parametrize("value", ["", "a\nb", "a\x00", "\x1f", "\x7f", "x" * 2049, 5, True, ["x"], b"x", {}])
def test_a_value_is_a_text_without_control_characters(value: Any) -> None:
    error = refused({"acr_values": value})

    assert error.details["parameter"] == "'acr_values'"


@pytest.mark.covers("L01")
def test_an_error_tells_the_kind_of_a_value_and_not_what_may_be_about_a_person() -> None:
    assert refused({"login_hint": "ada@example.org\n"}).details["got"] == "'str of length 16'"
    assert refused({"max_age": 1.5}).details["got"] == "'float'"
    assert "ada" not in str(refused({"claims": {"id_token": {"sub": {"value": ["ada"]}}}}))


@pytest.mark.parametrize("value", [" ", "~", "x" * 2048, "村上", "0"])
def test_a_value_may_be_any_other_text(value: str) -> None:
    assert read(acr_values=value).pairs == (("acr_values", value),)


@pytest.mark.covers("P02")
@pytest.mark.parametrize("prompt", ["none", "NONE", "login none"])
def test_a_login_that_nobody_may_see_is_refused(prompt: str) -> None:
    refused({"prompt": prompt})
    assert read(login_hint=prompt).pairs == (("login_hint", prompt),)


@pytest.mark.parametrize("given", [[], "acr_values", 5, ("a", "b"), {str(number): "x" for number in range(17)}])
def test_what_is_returned_is_a_mapping_of_sixteen_parameters_at_most(given: Any) -> None:
    refused(given)
    assert len(FurtherParameters.read({str(number): "x" for number in range(16)}).pairs) == 16


@pytest.mark.covers("P02")
@pytest.mark.parametrize("max_age", [-1, 10**9, 1.5, "60", True, [60]])
def test_max_age_is_a_whole_number_of_seconds(max_age: Any) -> None:
    refused({"max_age": max_age})


@pytest.mark.parametrize("max_age", [0, 1, 10**9 - 1])
def test_max_age_is_kept_apart(max_age: int) -> None:
    assert read(max_age=max_age) == FurtherParameters((), max_age, NOTHING)


# ------------------------------------------------------------------ resource


@pytest.mark.parametrize("resource", ["https://api.example", "https://api.example/a?b=c", "urn:example:a", "app:x"])
def test_a_resource_is_remembered_for_the_token_request(resource: str) -> None:
    further = read(resource=resource)

    assert further.pairs == (("resource", resource),)
    assert further.remembered == Remembered((resource,), {})
    assert read(resource=(resource, "urn:b")).remembered.resources == (resource, "urn:b")


@pytest.mark.covers("P02")
@pytest.mark.parametrize(
    "resource",
    [
        *(
            "",
            "/path",
            "api.example",
            "https://a.example/#",
            "https://a.example#b",
            "https://a b",
            "https:",
            "https://",
        ),
        *("https://[", "https://ä.example", "urn:a\n", 5, b"urn:a", [5], ["urn:a", "/b"], [["urn:a"]], {"urn:a": 1}),
    ],
)
def test_a_resource_is_an_absolute_uri_without_a_fragment(resource: Any) -> None:
    assert refused({"resource": resource}).details["parameter"] == "'resource'"


# ------------------------------------------------------------------ claims


def test_claims_are_sent_as_json() -> None:
    claims = {"userinfo": {"email": None, "https://x.example/a": {"essential": True}}, "id_token": {"name": {"a": [1]}}}

    [(name, text)] = read(claims=claims).pairs

    assert name == "claims"
    assert json.loads(text) == claims
    assert ": " not in text


@pytest.mark.covers("P02")
@pytest.mark.parametrize(
    "claims",
    [
        "{}",
        [],
        {},
        {"id_tokens": {}},
        {"id_token": None},
        {"id_token": []},
        {"id_token": {"acr": True}},
        {"id_token": {"acr": []}},
        {"id_token": {5: None}},
        {"id_token": {"name": {"value": object()}}},
        {"id_token": {"name": {"value": float("nan")}}},
        {"id_token": {"name": {"value": "x" * 2048}}},
        {"id_token": {"acr": {"essential": True, "values": "x"}}},
        {"id_token": {"acr": {"essential": True, "values": [5]}}},
        {"id_token": {"acr": {"essential": True, "values": [""]}}},
        {"id_token": {"acr": {"essential": True, "value": 5}}},
        {"id_token": {"acr": {"essential": True, "value": None}}},
        {"id_token": {"sub": {"value": 5}}},
    ],
    ids=repr,
)
def test_claims_are_a_mapping_as_the_specification_has_it(claims: Any) -> None:
    assert refused({"claims": claims}).details["parameter"] == "'claims'"


@pytest.mark.covers("P02")
def test_claims_without_a_bottom_are_refused() -> None:
    request: dict[str, Any] = {}
    for _ in range(100_000):
        request = {"a": request}

    assert refused({"claims": {"id_token": {"name": request}}}).details["parameter"] == "'claims'"


def test_the_longest_claims() -> None:
    claims = {"id_token": {"name": {"value": ""}}}
    room = 2048 - len(json.dumps(claims, separators=(",", ":")))
    claims["id_token"]["name"]["value"] = "x" * room
    assert len(read(claims=claims).pairs[0][1]) == 2048

    claims["id_token"]["name"]["value"] += "x"
    refused({"claims": claims})


@pytest.mark.covers("P03")
@pytest.mark.parametrize(
    ("requested", "required"),
    [
        ({"acr": {"essential": True, "values": [MFA, "b"]}}, {"acr": (MFA, "b")}),
        ({"acr": {"essential": True, "value": MFA}}, {"acr": (MFA,)}),
        ({"acr": {"essential": True, "value": MFA, "values": ["b"]}}, {"acr": (MFA,)}),
        ({"acr": {"essential": True}}, {"acr": ()}),
        ({"acr": {"essential": True, "values": []}}, {"acr": ()}),
        ({"auth_time": {"essential": True, "value": 5}}, {"auth_time": ()}),
        ({"sub": {"value": "ada"}}, {"sub": ("ada",)}),
        ({"sub": {"essential": True}}, {"sub": ()}),
        ({"sub": {"values": ["ada"]}}, {}),
        ({"acr": {"essential": False, "value": MFA}}, {}),
        ({"acr": {"essential": 1, "value": MFA}}, {}),
        ({"acr": {"value": MFA}}, {}),
        ({"acr": None, "auth_time": None, "sub": None}, {}),
        ({"email": {"essential": True, "value": "a@b"}}, {}),
    ],
    ids=repr,
)
def test_what_the_id_token_is_held_to(requested: dict[str, Any], required: dict[str, tuple[str, ...]]) -> None:
    further = read(claims={"id_token": requested, "userinfo": {"acr": {"essential": True, "value": "other"}}})

    assert further.remembered == Remembered((), required)
    assert read(claims={"userinfo": requested}).remembered == NOTHING


@pytest.mark.covers("P04")
def test_a_login_remembers_192_characters_at_most() -> None:
    empty = len(json.dumps([["urn:"], {}], separators=(",", ":")))

    assert read(resource="urn:" + "x" * (192 - empty)).remembered.length == 192
    error = refused({"resource": "urn:" + "x" * (193 - empty)})
    assert error.details["got"] == "'str of length 193'"


@pytest.mark.covers("P04")
def test_accepted_values_are_among_the_192_characters() -> None:
    room = 192 - len(json.dumps([[], {"acr": [""]}], separators=(",", ":")))

    assert read(claims={"id_token": {"acr": {"essential": True, "value": "x" * room}}}).remembered.length == 192
    refused({"claims": {"id_token": {"acr": {"essential": True, "value": "x" * (room + 1)}}}})


@pytest.mark.parametrize("remembered", [NOTHING, Remembered(("urn:a", "urn:b")), Remembered((), {"acr": ("a", "b")})])
def test_what_is_remembered_comes_back_from_json(remembered: Remembered) -> None:
    stored = json.loads(json.dumps(remembered.stored()))

    assert Remembered.restored(stored) == remembered
    assert (stored is None) == (remembered == NOTHING)
