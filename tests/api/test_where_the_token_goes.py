"""No path, no link, no redirect and no space leads an access token away from Cobot's API."""

from itertools import islice
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import APIError, CobotAPI
from cobot_oidc.api.addresses import LONGEST_PATH, Addresses
from cobot_oidc.api.places import place_of
from cobot_oidc.standin import StandIn

from ..conftest import CALLBACK, MakePortal
from ..leaks import frames_with
from ..provider.hostile import answer, hostile_server, resets, says
from .conftest import EVERYTHING, MakeAPI, refusal

# ---------------------------------------------------------------------- paths

NO_PATHS = [
    "/bookings/../users",
    "/bookings/..",
    "/./bookings",
    "/bookings/%2e%2e/x",
    "/bookings/%2E%2e/x",
    "/bookings/.%2e/x",
    "/bookings/%252e%252e/x",
    "/bookings/..%2fusers",
    "/bookings%2f..%2fusers",
    "/bookings/..%5cusers",
    "/bookings/x%5C%2e%2e%5Cusers",
    "//evil.example",
    "//evil.example/bookings",
    "/bookings?x=1",
    "/bookings#x",
    "https://evil.example/",
    "http://api.cobot.localhost/bookings",
    "@evil.example/",
    ":80@evil.example/",
    ".evil.example/",
    "bookings",
    "",
    "/",
    "/api/\n",
    "/bookings\r\nHost: evil.example",
    "/bookings/1 HTTP/1.1",
    "/bookings\\..\\users",
    "\\\\evil.example",
    "/bookings/\0",
    "/bookings/ü",
    "/bookings/\u2025/x",
    "/bookings/{id}",
    "/api/../bookings",
    "/api/access_tokens/..",
    "/" + "x" * LONGEST_PATH,
]


@pytest.mark.covers("A14")
@pytest.mark.parametrize("path", NO_PATHS, ids=ascii)
@pytest.mark.parametrize("space", [None, "co-up"])
def test_an_id_that_somebody_typed_makes_no_other_path(
    make_api: MakeAPI, cobot: StandIn, path: str, space: str | None
) -> None:
    api = make_api(space=space)
    calls = [
        lambda: api.get(path),
        lambda: api.post(path, {}),
        lambda: api.put(path, form={}),
        lambda: api.patch(path, {}),
        lambda: api.delete(path),
        lambda: api.download(path),
        lambda: next(iter(api.pages(path))),
    ]

    assert {refusal(call).code for call in calls} == {"address_forbidden"}
    assert cobot.requests == []


@pytest.mark.parametrize("path", ["/bookings/a.b", "/bookings/...", "/bookings/~", "/bookings/a:b@c", "/bookings/%C3"])
def test_an_unusual_id_is_asked_for_as_it_is(make_api: MakeAPI, cobot: StandIn, path: str) -> None:
    assert refusal(lambda: make_api().get(path)).code == "resource_not_found"
    assert [request.host for request in cobot.requests] == [f"api.cobot.localhost:{cobot.port}"]


def test_a_tilde_in_a_path_never_stands_for_the_token(make_portal: MakePortal) -> None:
    with (
        hostile_server(says(answer())) as server,
        make_portal(COBOT_OIDC_ISSUER=server.url().rstrip("/")).app_context(),
    ):
        CobotAPI("a-token-of-somebody").get("/api/~/~")

    assert server.requests[0].startswith(b"GET /api/~/~ HTTP/1.1\r\n")


# ---------------------------------------------------------------------- links


def link_to(cobot: StandIn, link: Any) -> None:
    cobot.alter("api", {"links": {"next": link}}, path="/bookings")


@pytest.mark.covers("A11")
@pytest.mark.parametrize(
    "link",
    [
        "http://evil.localhost:{evil}/bookings",
        "http://localhost:{evil}/bookings",
        "http://api.cobot.localhost:{evil}/bookings",
        "http://api.cobot.localhost/bookings",
        "https://api.cobot.localhost:{port}/bookings",
        "ftp://api.cobot.localhost:{port}/bookings",
        "file:///etc/passwd",
        "http://api.cobot.localhost:{port}@evil.localhost:{evil}/bookings",
        "http://api.cobot.localhost:{port}:x@localhost:{evil}/bookings",
        "http://somebody@api.cobot.localhost:{port}/bookings",
        "http://api.cobot.localhost.evil.localhost:{evil}/bookings",
        "http://api.cobot.localhost:{port}.localhost:{evil}/bookings",
        "http://api.cobot.localhost:{port}",
        "http://api.cobot.localhost:{port}?page=2",
        "http://api.cobot.localhost:{port}#/bookings",
        "http://api.cobot.localhost:{port}\\@localhost:{evil}/bookings",
        "http://api.cobot.localhost:{port}/\\localhost:{evil}/bookings",
        "http://api.cobot.localhost:{port}//localhost:{evil}/bookings",
        "http://api.cobot.localhost:{port}/../api/user",
        "http://api.cobot.localhost:{port}/bookings/%2e%2e/user",
        "http://api.cobot.localhost:{port}/bookings?page=2#x",
        "http://api.cobot.localhost:{port}/bookings?page=2\r\nHost: evil.localhost",
        "http://api.cobot.localhost:{port}/bookings?page=ü",
        " http://api.cobot.localhost:{port}/bookings",
        "HTTP://api.cobot.localhost:{port}/bookings",
        "http://www.cobot.localhost:{port}/api/bookings",
        "http://co-up.cobot.localhost:{port}/api/bookings",
        "//localhost:{evil}/bookings",
        "//api.cobot.localhost:{port}/bookings",
        "/bookings?page[number]=2",
        "?page[number]=2",
        "",
        "http://api.cobot.localhost:{port}/bookings?" + "x" * 5000,
        5,
        True,
        False,
        ["http://api.cobot.localhost:{port}/bookings?page[number]=2"],
        {"href": "http://api.cobot.localhost:{port}/bookings?page[number]=2"},
    ],
    ids=str,
)
def test_a_link_to_the_next_page_leads_nowhere_else(make_api: MakeAPI, cobot: StandIn, link: Any) -> None:
    api = make_api()
    with hostile_server(says(answer(b'{"data": []}'))) as evil:
        if isinstance(link, str):
            link = link.format(port=cobot.port, evil=evil.port)
        link_to(cobot, link)
        pages = api.pages("/bookings")

        assert len(list(islice(pages, 30))) == 30  # what came with the link is not lost
        assert refusal(lambda: next(pages)).code == "address_forbidden"
        assert evil.connections == 0
    assert len(cobot.requests) == 1


@pytest.mark.covers("A11")
def test_a_link_is_not_told_with_its_query(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api()
    link_to(cobot, "https://evil.example/bookings?access_token=0123456789abcdef")

    error = refusal(lambda: list(api.pages("/bookings")))

    assert "evil.example" in str(error)
    assert "0123456789abcdef" not in f"{error} {error.details}"


@pytest.mark.parametrize("links", [None, [], "x", 5, {}, {"next": None}, {"prev": "https://evil.example/"}])
def test_without_a_link_to_the_next_page_the_list_ends(make_api: MakeAPI, cobot: StandIn, links: Any) -> None:
    cobot.alter("api", {"links": links}, path="/bookings")

    assert len(list(make_api().pages("/bookings", page_size=5))) == 5
    assert cobot.asked("/bookings") == 1


@pytest.mark.covers("A12")
def test_a_page_that_links_to_itself_is_not_asked_for_without_end(make_api: MakeAPI, cobot: StandIn) -> None:
    link_to(cobot, f"{cobot.api}/bookings?page[number]=1")

    assert len(list(make_api().pages("/bookings"))) == 2 * 30
    assert cobot.asked("/bookings") == 2


@pytest.mark.covers("A12")
def test_two_pages_that_link_to_each_other_are_asked_for_once(make_api: MakeAPI, cobot: StandIn) -> None:
    def other(page: dict[str, Any]) -> dict[str, Any]:
        number = 3 - page["meta"]["currentPage"]
        return page | {"links": {"next": f"{cobot.api}/bookings?page[number]={number}&page[size]=15"}}

    cobot.alter("api", other, path="/bookings")

    list(make_api().pages("/bookings", page_size=15))

    assert cobot.asked("/bookings") == 3  # the first one as we asked for it, and both as the links name them


@pytest.mark.covers("A12")
def test_pages_without_end_are_asked_for_as_long_as_somebody_reads_them(make_api: MakeAPI, cobot: StandIn) -> None:
    numbers = iter(range(2, 1000))
    cobot.alter(
        "api",
        lambda page: page | {"links": {"next": f"{cobot.api}/bookings?x={next(numbers)}"}},
        path="/bookings",
    )

    assert len(list(islice(make_api().pages("/bookings"), 100))) == 100
    assert cobot.asked("/bookings") == 4


# ---------------------------------------------------------------------- redirects


@pytest.mark.covers("A13")
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_redirect_is_not_followed(make_api: MakeAPI, cobot: StandIn, status: int, method: str) -> None:
    api = make_api(space="co-up")
    with hostile_server(says(answer())) as evil:
        cobot.reply("api", status=status, headers={"Location": f"http://evil.localhost:{evil.port}/"}, path="/")

        for path in ("/api/bookings", "/bookings"):
            error = refusal(lambda path=path: api.get(path) if method == "GET" else api.request(method, path))  # type: ignore[misc]
            assert (error.code, error.api_status, error.details["reason"]) == ("answer_unusable", status, "a redirect")
        assert evil.connections == 0
    assert len(cobot.requests) == 2


@pytest.mark.covers("A13")
def test_no_call_about_the_token_follows_a_redirect(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api("alex", space="co-up")
    with hostile_server(says(answer())) as evil:
        cobot.reply("api", status=307, headers={"Location": f"http://evil.localhost:{evil.port}/"})

        calls = [api.me, api.granted_scopes, api.revoke, lambda: api.space_token("co-up")]
        assert {refusal(call).code for call in calls} == {"answer_unusable"}
        assert evil.connections == 0


# ---------------------------------------------------------------------- the token in a path


def test_the_scopes_that_were_granted_are_asked_for_once(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api(scope="read_user read_bookings", space="co-up")

    assert api.granted_scopes() == api.granted_scopes() == ("read_user", "read_bookings")
    assert len(cobot.requests) == 1
    assert cobot.requests[0].host == f"www.cobot.localhost:{cobot.port}"


@pytest.mark.parametrize(
    ("scope", "granted"), [("read_user  read", ("read_user", "read")), ("", ()), ([], ()), (["read"], ("read",))]
)
def test_scopes_may_be_a_list_or_a_text(
    make_api: MakeAPI, cobot: StandIn, scope: Any, granted: tuple[str, ...]
) -> None:
    cobot.alter("api", {"scope": scope})

    assert make_api().granted_scopes() == granted


@pytest.mark.parametrize("document", [None, [], "read", 5, {}, {"scope": None}, {"scope": [1]}, {"scope": {"a": 1}}])
def test_scopes_of_another_shape_are_none(make_api: MakeAPI, cobot: StandIn, document: Any) -> None:
    cobot.alter("api", lambda _: document)

    assert refusal(make_api().granted_scopes).code == "answer_unusable"


def test_a_token_can_be_revoked(make_api: MakeAPI) -> None:
    api = make_api()
    api.revoke()

    assert refusal(api.me).code == "token_refused"
    assert refusal(api.revoke).code == "resource_not_found"


@pytest.mark.usefixtures("in_portal")
def test_without_a_token_nothing_is_asked_about_it(cobot: StandIn) -> None:
    api = CobotAPI()

    calls = [api.granted_scopes, api.revoke, lambda: api.space_token("co-up")]
    assert {refusal(call).code for call in calls} == {"token_missing"}
    assert cobot.requests == []


@pytest.mark.covers("A18")
@pytest.mark.usefixtures("in_portal")
def test_logs_name_a_token_by_its_placeholder(cobot: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    token = cobot.issue_token("alex", EVERYTHING)
    api = CobotAPI(token, space="co-up")
    with caplog.at_level("DEBUG"):
        api.granted_scopes()
        api.space_token("co-up")
        api.revoke()

    assert [request.path for request in cobot.requests] == [
        f"/api/access_tokens/{token}",
        f"/api/access_tokens/{token}/space",
        f"/api/access_tokens/{token}",
    ]
    said = [record.getMessage() for record in caplog.records if "threading" not in record.name]
    assert len([line for line in said if "/api/access_tokens/~" in line]) == 3
    assert token not in "".join(said)


def about(api: CobotAPI) -> list[APIError]:
    return [refusal(call) for call in (api.me, api.granted_scopes, api.revoke, lambda: api.space_token("co-up"))]


def holds(error: APIError, token: str) -> bool:
    """Whether anything of an error shows a token; it has neither cause nor context."""
    return token in f"{error} {error!r} {error.args} {error.__dict__}"


@pytest.mark.covers("A18")
@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_no_error_of_a_call_about_the_token_holds_it(
    make_portal: MakePortal, cobot: StandIn, waits: list[float], status: int
) -> None:
    token = cobot.issue_token("alex", EVERYTHING)
    cobot.reply("api", status=status, headers={"Retry-After": "600"})

    with make_portal().app_context():
        errors = about(CobotAPI(token))

    assert waits is not None
    assert not [error for error in errors if holds(error, token)]
    assert {error.api_status for error in errors} == {status}


@pytest.mark.covers("A18")
def test_no_error_of_a_connection_holds_the_token(make_portal: MakePortal, cobot: StandIn, waits: list[float]) -> None:
    token = cobot.issue_token("alex", EVERYTHING)
    with make_portal().app_context():
        api = CobotAPI(token)
        api.me()
        cobot.stop()
        try:
            errors = about(api)
        finally:
            cobot.start()
    with hostile_server(resets) as server, make_portal(COBOT_OIDC_ISSUER=server.url().rstrip("/")).app_context():
        errors += about(CobotAPI(token))

    assert waits
    assert {error.code for error in errors} == {"api_unreachable"}
    assert "/api/access_tokens/~" in str(errors[1])
    assert not [error for error in errors if holds(error, token)]


@pytest.mark.covers("A18")
@pytest.mark.parametrize("token", ["a-token\r\nX-Evil: yes", "a-token of \u6751"], ids=ascii)
def test_a_token_that_is_no_header_is_not_sent(make_portal: MakePortal, token: str) -> None:
    with (
        hostile_server(says(answer())) as server,
        make_portal(COBOT_OIDC_ISSUER=server.url().rstrip("/")).app_context(),
    ):
        errors = about(CobotAPI(token))

    assert server.requests == []
    assert {error.code for error in errors} == {"answer_unusable"}
    assert not [error for error in errors if holds(error, "a-token")]


@pytest.mark.covers("A18")
def test_a_token_is_one_part_of_a_path(make_portal: MakePortal) -> None:
    with (
        hostile_server(says(answer(b'{"scope": []}'))) as server,
        make_portal(COBOT_OIDC_ISSUER=server.url().rstrip("/")).app_context(),
    ):
        CobotAPI("a-token/../x?y#z %2e").granted_scopes()

    [request] = server.requests
    assert request.startswith(b"GET /api/access_tokens/a-token%2F..%2Fx%3Fy%23z%20%252e HTTP/1.1\r\n")
    assert b"\r\nAccept: application/json\r\n" in request  # it is of the first generation


@pytest.mark.covers("A18")
@pytest.mark.parametrize("body", [True, False], ids=["body", "header"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_an_answer_that_repeats_the_token_is_not_repeated(make_portal: MakePortal, status: int, body: bool) -> None:
    token = "0123456789abcdef-of-somebody"
    said = f'{{"error": "no such token: {token}", "errors": {{"{token}": "{token}"}}}}'.encode()
    headers = "" if body else f"X-Request-Id: {token}\r\n"
    with hostile_server(says(answer(said if body else b"{}", status=f"{status} No", headers=headers))) as server:
        url = server.url().rstrip("/")
        with make_portal(COBOT_OIDC_ISSUER=url, COBOT_OIDC_API_URL=url).app_context():
            api = CobotAPI(token)
            errors = [
                refusal(call)
                for call in (
                    lambda: api.get("/api/x"),
                    lambda: api.post("/x", {}),
                    api.me,
                    api.granted_scopes,
                    api.revoke,
                )
            ]

    for error in errors:
        assert token not in f"{error} {error!r} {error.__dict__}"


# ---------------------------------------------------------------------- a space's own token


def test_an_admin_gets_a_token_for_the_space(make_api: MakeAPI) -> None:
    given = make_api("alex", space="co-up").space_token("co-up")

    members = CobotAPI(given.token, space="co-up").get("/api/memberships")

    assert {member["name"] for member in members} == {"Ada Lovelace", "Grace Hopper", "村上 春樹"}
    assert given.space_id == "co-up"
    assert given.scopes == tuple(EVERYTHING.split())
    assert given.token not in repr(given)


@pytest.mark.covers("A19")
def test_a_member_gets_none(make_api: MakeAPI) -> None:
    error = refusal(lambda: make_api("ada", space="co-up").space_token("co-up"))

    assert (error.code, error.api_status) == ("request_forbidden", 403)


@pytest.mark.covers("A19")
@pytest.mark.parametrize("client_id", ["another", "", None, 5, ["portal"], "portal "])
def test_a_token_for_another_client_is_not_kept(make_api: MakeAPI, cobot: StandIn, client_id: Any) -> None:
    cobot.alter("api", {"client_id": client_id, "token": "token-of-another"}, path="/api/access_tokens")

    error = refusal(lambda: make_api("alex", space="co-up").space_token("co-up"))

    assert error.code == "space_token_foreign"
    assert "token-of-another" not in f"{error} {error.__dict__}"


@pytest.mark.covers("A19", "L02")
def test_no_error_about_a_space_s_token_holds_it(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.alter("api", {"client_id": "another", "token": "the-space-s-own-token"}, path="/api/access_tokens")
    with make_portal().app_context(), pytest.raises(APIError) as raised:
        CobotAPI(cobot.issue_token("alex", "read_user read_spaces"), space="co-up").space_token("co-up")

    assert raised.value.code == "space_token_foreign"
    assert frames_with(raised.value, "the-space-s-own-token") == []


@pytest.mark.covers("A19")
@pytest.mark.parametrize("token", ["", None, 5, ["x"], "of\nlines", "of-村上", "\0"])
def test_a_token_that_is_none_is_not_kept(make_api: MakeAPI, cobot: StandIn, token: Any) -> None:
    cobot.alter("api", {"token": token}, path="/api/access_tokens")

    assert refusal(lambda: make_api("alex", space="co-up").space_token("co-up")).code == "answer_unusable"


@pytest.mark.parametrize("document", [None, [], "x", 5, {}])
def test_an_answer_without_a_client_is_not_kept(make_api: MakeAPI, cobot: StandIn, document: Any) -> None:
    cobot.alter("api", lambda _: document, path="/api/access_tokens")

    assert refusal(lambda: make_api("alex", space="co-up").space_token("co-up")).code == "space_token_foreign"


# ---------------------------------------------------------------------- the end of a token's use


def every_call(api: CobotAPI) -> list[Any]:
    return [
        lambda: api.get("/bookings"),
        lambda: api.get("/api/space"),
        lambda: list(api.pages("/bookings")),
        lambda: api.post("/bookings", {}),
        lambda: api.put("/bookings", {}),
        lambda: api.patch("/bookings", {}),
        lambda: api.delete("/bookings/1"),
        lambda: api.download("/api/invoices/1.pdf"),
        api.me,
        api.revoke,
        lambda: api.space_token("co-up"),
    ]


@pytest.mark.covers("A19")
def test_after_its_end_a_client_calls_nobody(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api("alex", space="co-up")
    api.close()

    assert {refusal(call).code for call in [*every_call(api), api.granted_scopes]} == {"token_spent"}
    assert cobot.requests == []


def test_what_a_client_knew_of_its_token_ends_with_it(make_api: MakeAPI) -> None:
    api = make_api()
    api.granted_scopes()
    api.close()

    assert refusal(api.granted_scopes).code == "token_spent"


def test_an_iteration_ends_with_its_client(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api()
    pages = api.pages("/bookings", page_size=1)
    next(pages)
    api.close()

    assert refusal(lambda: next(pages)).code == "token_spent"
    assert cobot.asked("/bookings") == 1


@pytest.mark.covers("A19")
def test_a_client_that_may_wait_ends_with_the_one_it_came_from(make_api: MakeAPI, cobot: StandIn) -> None:
    api = make_api("alex", space="co-up")
    patient = api.waiting(60)
    api.close()

    assert {refusal(call).code for call in [*every_call(patient), patient.granted_scopes]} == {"token_spent"}
    assert cobot.requests == []


def test_a_client_that_may_wait_is_another_one(make_api: MakeAPI, cobot: StandIn, waits: list[float]) -> None:
    api = make_api(space="co-up")
    patient = api.waiting(60)
    cobot.reply("api", status=429, headers={"Retry-After": "30"}, path="/api/space", times=2)

    assert refusal(lambda: api.get("/api/space")).code == "rate_limited"
    assert waits == []
    assert patient.get("/api/space")["id"] == "co-up"
    assert [int(wait) for wait in waits] == [30]  # and a little more, at random
    assert repr(patient) == repr(api)


def test_what_a_client_shows_of_itself_is_its_address(make_api: MakeAPI, cobot: StandIn) -> None:
    assert repr(make_api(space="co-up")) == f"<CobotAPI at '{cobot.space_issuer('co-up')}'>"
    assert repr(make_api()) == f"<CobotAPI at '{cobot.issuer}'>"


# ---------------------------------------------------------------------- whose API it is


def test_outside_an_app_it_is_cobots_own() -> None:
    place = place_of(None)

    assert repr(CobotAPI("a-token-of-somebody")) == "<CobotAPI at 'https://www.cobot.me'>"
    assert repr(CobotAPI("a-token-of-somebody", space="co-up")) == "<CobotAPI at 'https://co-up.cobot.me'>"
    assert place.addresses("co-up") == Addresses(
        "https://co-up.cobot.me", "https://api.cobot.me", "https://www.cobot.me"
    )
    assert not place.client_id_of("co-up")


@pytest.mark.covers("A20")
@pytest.mark.parametrize("space", ["www", "api", "evil.example/", "x@evil", "xn--co-up"])
def test_outside_an_app_a_space_is_a_name_below_cobots(space: str) -> None:
    assert refusal(lambda: CobotAPI("a-token-of-somebody", space=space)).code == "address_forbidden"


@pytest.mark.covers("A20")
def test_a_space_that_the_app_does_not_serve_gets_no_token(make_portal: MakePortal, cobot: StandIn) -> None:
    token = cobot.issue_token("grace", EVERYTHING)
    with make_portal(COBOT_OIDC_SPACES=["co-up"]).app_context():
        assert CobotAPI(token, space="co-up").get("/api/space")
        cobot.requests.clear()
        error = refusal(lambda: CobotAPI(token, space="betahaus"))

    assert error.code == "address_forbidden"
    assert "COBOT_OIDC_SPACES" in str(error)
    assert cobot.requests == []


@pytest.mark.covers("A20", "L02")
def test_no_error_of_a_client_that_cannot_be_made_holds_the_token(make_portal: MakePortal, cobot: StandIn) -> None:
    token = cobot.issue_token("ada", "read_user")
    with make_portal(COBOT_OIDC_SPACES="co-up").app_context(), pytest.raises(APIError) as raised:
        CobotAPI(token, space="elsewhere")

    assert frames_with(raised.value, token) == []


def test_a_provider_without_a_second_generation_is_not_asked_for_it(make_portal: MakePortal, cobot: StandIn) -> None:
    api_1 = cobot.space_issuer("co-up")
    with make_portal(COBOT_OIDC_ISSUER=api_1, COBOT_OIDC_SPACE_ISSUER=None).app_context():
        api = CobotAPI("a-token-of-somebody")
        error = refusal(lambda: api.get("/bookings"))
        assert api.get("/api/space")["id"] == "co-up"

    assert (error.code, error.details["setting"]) == ("address_forbidden", "COBOT_OIDC_API_URL")
    assert cobot.asked("/bookings") == 0


def test_an_exception_inside_the_providers_domain_has_the_providers_api(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    with make_portal(COBOT_OIDC_SPACE_ISSUERS={"hq": cobot.space_issuer("co-up")}).app_context():
        api = CobotAPI(cobot.issue_token("grace", EVERYTHING), space="hq")
        api.get("/api/space")
        api.get("/bookings")
        api.me()

    assert [request.host.partition(".")[0] for request in cobot.requests] == ["co-up", "api", "www"]


@pytest.fixture
def own_domain(cobot: StandIn, make_portal: MakePortal) -> Flask:
    """A portal whose space co-up has a domain of its own."""
    cobot.domains["members.localhost"] = "co-up"
    cobot.register_client("members", secret="s3cret-of-members", redirect_uri=f"{CALLBACK}/co-up")
    own = {
        "issuer": f"http://members.localhost:{cobot.port}",
        "client_id": "members",
        "client_secret": "s3cret-of-members",
    }
    return make_portal(COBOT_OIDC_SPACE_ISSUERS={"co-up": own})


@pytest.mark.covers("A20")
def test_the_token_of_a_space_with_a_domain_of_its_own_stays_there(own_domain: Flask, cobot: StandIn) -> None:
    with own_domain.app_context():
        api = CobotAPI(cobot.issue_token("alex", EVERYTHING, client_id="members"), space="co-up")

        assert api.me().administrates("co-up")
        assert api.get("/api/space")["id"] == "co-up"
        assert "read_user" in api.granted_scopes()
        assert api.space_token("co-up").token
        for call in (
            lambda: api.get("/bookings"),
            lambda: list(api.pages("/bookings")),
            lambda: api.post("/bookings", {}),
            lambda: api.delete("/bookings/1"),
            lambda: api.download("/invoices/1"),
        ):
            assert refusal(call).code == "address_forbidden"
        cobot.reply("api", status=403, path="/api/bookings")
        assert refusal(lambda: api.get("/api/bookings")).code == "rights_limited"
        api.revoke()

    assert len(cobot.requests) == 6
    assert {request.host for request in cobot.requests} == {f"members.localhost:{cobot.port}"}


@pytest.mark.covers("A20")
@pytest.mark.parametrize("link", ["{api}/bookings", ":///bookings", "None/bookings", "{issuer}/api/bookings"])
def test_no_link_leads_the_token_out_of_that_domain(own_domain: Flask, cobot: StandIn, link: str) -> None:
    link = link.format(api=cobot.api, issuer=cobot.issuer)
    document = {"data": [{"type": "bookings", "id": "1"}], "links": {"next": link}}
    cobot.alter("api", lambda _: document, path="/api/bookings")

    with own_domain.app_context():
        pages = CobotAPI(cobot.issue_token("alex", EVERYTHING), space="co-up").pages("/api/bookings")
        assert next(pages)["id"] == "1"
        assert refusal(lambda: next(pages)).code == "address_forbidden"

    assert {request.host for request in cobot.requests} == {f"members.localhost:{cobot.port}"}


@pytest.mark.covers("A19")
def test_a_space_token_of_that_domain_belongs_to_the_client_there(own_domain: Flask, cobot: StandIn) -> None:
    with own_domain.app_context():
        api = CobotAPI(cobot.issue_token("alex", EVERYTHING, client_id="portal"), space="co-up")

        assert refusal(lambda: api.space_token("co-up")).code == "space_token_foreign"
