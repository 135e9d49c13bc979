"""Cobot answers 403 to a token without the scope, and to a person without the right: the error tells which it was."""

from typing import Any

import pytest

from cobot_oidc import CobotAPI
from cobot_oidc.standin import StandIn

from .conftest import EVERYTHING, MakeAPI, refusal


def without(scope: str) -> str:
    return " ".join(other for other in EVERYTHING.split() if other != scope)


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        ("GET", "/bookings", "read_bookings"),
        ("GET", "/bookings/booking-co-up-1", "read_bookings"),
        ("GET", "/spaces/co-up/bookings", "read_bookings"),
        ("GET", "/api/bookings", "read_bookings"),
        ("GET", "/api/memberships/m-grace-1", "read_memberships"),
        ("GET", "/api/invoices/invoice-1.pdf", "read_invoices"),
        ("GET", "/api/user", "read_user"),
        ("POST", "/bookings", "write_bookings"),
        ("DELETE", "/bookings/booking-co-up-1", "write_bookings"),
        ("DELETE", "/api/bookings/booking-co-up-1", "write_bookings"),
        ("PUT", "/api/memberships/m-grace-1/picture", "write_memberships"),
        ("POST", "/api/check_ins", "write_check_ins"),
    ],
)
def test_a_scope_that_is_missing_is_named(make_api: MakeAPI, method: str, path: str, missing: str) -> None:
    api = make_api(scope=without(missing), space="co-up")

    error = refusal(lambda: api.get(path) if method == "GET" else api.request(method, path))

    assert (error.code, error.api_status, error.status) == ("insufficient_scope", 403, 403)
    assert error.details["expected"] == missing
    assert f"the scope {missing}" in error.message
    assert error.request_id


def test_what_is_included_needs_a_scope_of_its_own(make_api: MakeAPI) -> None:
    error = refusal(
        lambda: make_api(scope="read_bookings").get("/bookings", include=["resource"]),
    )

    assert (error.code, error.details["expected"]) == ("insufficient_scope", "read_resources")
    assert (
        refusal(
            lambda: list(make_api(scope="read_bookings").pages("/bookings", include=["resource"])),
        ).details["expected"]
        == "read_resources"
    )


def test_the_wide_scopes_are_no_scopes_of_the_second_generation(make_api: MakeAPI) -> None:
    error = refusal(lambda: make_api(scope="read write").get("/bookings"))

    assert (error.code, error.details["expected"]) == ("insufficient_scope", "read_bookings")


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        (EVERYTHING, "/api/memberships"),
        ("read", "/api/memberships"),
        (EVERYTHING, "/spaces/co-up/memberships"),
        (EVERYTHING, "/memberships/m-ada"),
    ],
)
def test_rights_that_an_admin_has_lost_are_no_scope(make_api: MakeAPI, cobot: StandIn, scope: str, path: str) -> None:
    api = make_api("alex", scope, space="co-up")
    assert api.get(path)
    cobot.revoke_right("alex", "co-up")

    error = refusal(lambda: api.get(path))

    assert (error.code, error.api_status, error.status) == ("rights_limited", 403, 403)
    assert error.message == "Your rights as an admin of co-up have been revoked."
    assert "expected" not in error.details


def test_rights_that_an_admin_has_lost_for_what_they_write(make_api: MakeAPI, cobot: StandIn) -> None:
    cobot.revoke_right("alex", "co-up")

    error = refusal(lambda: make_api("alex").delete("/bookings/booking-co-up-1"))

    assert error.code == "rights_limited"


def test_a_token_s_scopes_are_asked_for_once(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api(scope="read_user")
    for _ in range(3):
        assert refusal(lambda: api.get("/bookings")).code == "insufficient_scope"

    assert len(cobot.requests) == 3 + 1


@pytest.mark.usefixtures("in_portal")
def test_a_refusal_that_cannot_be_explained_is_told_as_it_is(cobot: StandIn) -> None:
    cobot.reply("api", status=403, path="/api/space")

    for api in (CobotAPI(space="co-up"), CobotAPI("a-token-of-nobody", space="co-up")):
        error = refusal(lambda api=api: api.get("/api/space"))  # type: ignore[misc] # bound now

        assert (error.code, error.api_status) == ("request_forbidden", 403)


@pytest.mark.parametrize("about_the_token", [{"status": 500}, {"status": 404}, {"body": b"{}"}, {"body": b"<html>"}])
def test_a_refusal_is_told_even_if_the_scopes_cannot_be_found_out(
    make_api: MakeAPI, cobot: StandIn, about_the_token: dict[str, Any]
) -> None:
    cobot.reply("api", **about_the_token, path="/api/access_tokens")

    error = refusal(lambda: make_api(scope="read_user").get("/bookings"))

    assert (error.code, error.api_status) == ("request_forbidden", 403)
    assert error.message == "The access token does not have the scope read_bookings."
