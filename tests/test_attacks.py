"""Attacks on the flow, the session and the spaces that no other file tells as a story (docs/threats.md)."""

import ast
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, json, request, session
from werkzeug.wrappers import Response

import cobot_oidc
from cobot_oidc import LoginError, current_space, current_user, login_failed, login_required
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .conftest import Clock, MakePortal, Visitor
from .protocol.test_redirects import CLASSICS, goes_to
from .provider.hostile import hostile_server, resets


@pytest.mark.covers("C18", "M03")
def test_the_id_token_of_another_space_is_refused(visitor: Visitor, cobot: StandIn) -> None:
    tokens: list[str] = []

    def keep(token: str) -> str:
        tokens.append(token)
        return token

    cobot.alter("id_token", keep, issuer=cobot.space_issuer("co-up"))
    visitor.log_in("/co-up/desk", "grace")
    cobot.alter("id_token", lambda _: tokens[0], issuer=cobot.space_issuer("betahaus"))

    assert visitor.get(visitor.answer(visitor.begin("/betahaus/desk"), "grace")).status_code == 502
    assert visitor.sees("/betahaus/open") is None


@pytest.mark.covers("M07")
def test_a_space_can_say_what_it_likes_of_its_own_members_alone(visitor: Visitor, cobot: StandIn) -> None:
    claims = {"name": "Ada Lovelace", "email": "ada@example.org", "picture": "https://evil.example/a.png"}
    cobot.alter("id_token_claims", claims, issuer=cobot.space_issuer("betahaus"))
    visitor.log_in("/co-up/desk", "grace")
    visitor.log_in("/betahaus/desk", "grace")

    of_betahaus, of_co_up = visitor.get("/betahaus/open").json, visitor.get("/co-up/open").json
    assert of_betahaus is not None
    assert of_betahaus["claims"]["iss"] == cobot.space_issuer("betahaus")
    assert of_betahaus["claims"]["name"] == "Ada Lovelace"
    assert of_co_up is not None
    assert of_co_up["claims"]["iss"] == cobot.space_issuer("co-up")
    assert of_co_up["claims"]["name"] == "Grace Hopper"


@pytest.mark.covers("M06")
def test_the_same_address_is_not_the_same_person(visitor: Visitor, portal: Flask, cobot: StandIn) -> None:
    visitor.log_in("/co-up/desk", "ada")
    for verified in (True, False):
        cobot.alter(
            "id_token_claims",
            {"sub": "mallory", "email": cobot.people["ada"].email, "email_verified": verified},
            issuer=cobot.space_issuer("betahaus"),
        )
        mallory = Visitor(portal, cobot)
        mallory.log_in("/betahaus/desk", "nina")
        assert mallory.sees("/co-up/open") is None
        assert mallory.sees("/betahaus/open") != visitor.sees("/co-up/open")


@pytest.mark.covers("F14", "M09")
def test_the_secret_and_the_code_go_to_the_issuer_that_was_asked(visitor: Visitor, cobot: StandIn) -> None:
    for space in ("co-up", "betahaus"):
        cobot.requests.clear()
        visitor.log_in(f"/{space}/desk", "grace")
        posted = [request.host for request in cobot.requests if request.path == "/oauth/access_token"]
        assert posted == [f"{space}.cobot.localhost:{cobot.port}"]


@pytest.mark.covers("M02")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "betahaus.portal.example"},
        {"X-Forwarded-Host": "betahaus.cobot.localhost", "X-Forwarded-Prefix": "/betahaus"},
        {"X-Original-Host": "betahaus.portal.example", "Forwarded": "host=betahaus.portal.example"},
        {"X-Space": "betahaus", "Referer": "http://localhost/betahaus/desk"},
    ],
)
def test_no_header_names_the_space(visitor: Visitor, cobot: StandIn, headers: dict[str, str]) -> None:
    visitor.log_in("/betahaus/desk", "grace")

    assert visitor.get("/co-up/desk", headers=headers).status_code == 302
    page = visitor.get("/co-up/open", headers=headers).json
    assert page == {"user": None, "claims": {}, "space": "co-up"}
    assert visitor.begin("/co-up/desk", headers=headers).startswith(cobot.space_issuer("co-up"))


@pytest.mark.covers("F12")
def test_a_stolen_code_in_ones_own_login(visitor: Visitor, portal: Flask, cobot: StandIn) -> None:
    victim = Visitor(portal, cobot)
    stolen = parse_qs(urlsplit(victim.answer(victim.begin("/desk"), "ada")).query)["code"][0]
    own = visitor.answer(visitor.begin("/desk"), "grace")

    injected = re.sub("code=[^&]+", f"code={stolen}", own)

    assert visitor.get(injected).status_code == 400  # PKCE
    assert visitor.sees("/") is None


@pytest.mark.covers("C18", "F12")
def test_the_id_token_of_another_login_is_refused(visitor: Visitor, portal: Flask, cobot: StandIn) -> None:
    tokens: list[str] = []

    def keep(token: str) -> str:
        tokens.append(token)
        return tokens[0]

    cobot.alter("id_token", keep)
    Visitor(portal, cobot).log_in("/desk", "ada")
    heard: list[str] = []

    with _hear(portal, heard):
        response = visitor.get(visitor.answer(visitor.begin("/desk"), "grace"))

    assert response.status_code == 502
    assert heard == ["nonce_mismatch"]
    assert visitor.sees("/") is None


def _hear(portal: Flask, heard: list[str]) -> Any:
    def hear(_app: Flask, error: Any) -> None:
        heard.append(error.code)

    return login_failed.connected_to(hear, portal)


@pytest.mark.covers("F03", "S21")
def test_a_double_click_exchanges_one_code_once(portal: Flask, cobot: StandIn) -> None:
    visitor = Visitor(portal, cobot)
    answer = visitor.answer(visitor.begin("/desk"))
    header = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)
    cobot.reply("token", delay=0.2)

    def arrive(_: int) -> int:
        return portal.test_client(use_cookies=False).get(answer, headers={"Cookie": header}).status_code

    with ThreadPoolExecutor(4) as clicks:
        statuses = sorted(clicks.map(arrive, range(4)))

    assert statuses == [303, 303, 303, 303]  # a browser shows the last one
    assert cobot.asked("/oauth/access_token") == 1


@pytest.mark.covers("R01", "R02", "R03")
@pytest.mark.parametrize("payload", CLASSICS)
def test_no_payload_leads_away(visitor: Visitor, payload: str) -> None:
    begun = visitor.get("/cobot/login", query_string={"next": payload})
    arrived = visitor.get(visitor.answer(begun.location))

    assert arrived.status_code == 303
    assert goes_to(arrived.location) is None
    assert arrived.location == "/"
    assert not re.search(r"[\r\n]", arrived.location)


@pytest.mark.covers("F11")
def test_a_login_with_secrets_of_the_attackers(visitor: Visitor, cobot: StandIn) -> None:
    answer = visitor.answer(visitor.begin("/desk"))
    page = visitor.get(f"{answer}&code_verifier=x&nonce=y&redirect_uri=https://evil.example&next=//evil.example")

    assert (page.status_code, page.location) == (303, "/desk")
    assert cobot.asked("/oauth/access_token") == 1


@pytest.mark.covers("S16")
def test_a_session_that_the_app_empties_does_not_stop_a_login(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal()
    empty = True

    @portal.before_request
    def clear() -> None:
        if empty:
            session.clear()

    visitor = Visitor(portal, cobot)
    response = visitor.get(visitor.answer(visitor.begin("/desk")))
    empty = False

    assert response.status_code == 303
    assert visitor.sees("/") is not None


@pytest.mark.covers("S06")
def test_many_spaces_fit_into_one_cookie(visitor: Visitor, cobot: StandIn, clock: Clock) -> None:
    for person in cobot.people.values():
        person.name = "N" * 900
        for membership in person.memberships.values():
            membership.name = "".join(chr(0x4E00 + number) for number in range(300))
            membership.phone_number = "".join(str(number * 7919) for number in range(120))
    for space in ("co-up", "betahaus", "nebenan"):
        clock.move(1)
        assert visitor.log_in(f"/{space}/desk", "grace").status_code == 200

    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None
    assert len(cookie.value) <= 3800
    assert visitor.sees("/nebenan/open") is not None


@pytest.mark.covers("S06")
def test_a_session_that_no_browser_would_keep_is_refused(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_CLAIMS=["groups"])
    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk")
    cobot.alter("id_token_claims", {"groups": [sha256(bytes([number])).hexdigest() for number in range(150)]})
    heard: list[str] = []

    with _hear(portal, heard):
        page = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert page.status_code == 500
    assert heard == ["session_too_large"]
    assert visitor.sees("/") is None
    assert visitor.sees("/co-up/open") is not None
    error = LoginError("session_too_large", claim_lengths={"groups": 5000})
    assert "groups" in str(error)


@pytest.mark.covers("C14", "S15")
@pytest.mark.parametrize("name", ["a\u0000b", "x" * 3000, ["Ada"], {"first": "Ada"}, 7, "\u202eadA", ""])
def test_a_name_that_no_page_could_show_is_absent(visitor: Visitor, cobot: StandIn, name: Any) -> None:
    cobot.alter("id_token_claims", {"name": name})

    response = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert response.status_code == 303
    page = visitor.get("/desk")
    assert page.json is not None
    assert "name" not in page.json["claims"]


@pytest.mark.covers("S02")
def test_a_copied_session_of_another_app_is_nobody(make_portal: MakePortal, cobot: StandIn) -> None:
    visitor = Visitor(make_portal(), cobot)
    visitor.log_in("/desk")
    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None

    other = Visitor(make_portal(SECRET_KEY="o" * 32), cobot)
    other.browser.set_cookie("session", cookie.value)

    assert other.sees("/") is None


@pytest.mark.parametrize("left", ["x", [], {"sub": "x"}, [1, 2], None, 7, [None, "x", "now", {}], [None, 7, 7, {}]])
def test_a_session_of_another_shape_is_nobody(visitor: Visitor, cobot: StandIn, left: Any) -> None:
    with visitor.browser.session_transaction() as stored:
        stored[f"cobot:{cobot.issuer}"] = left
        stored["cobot:"] = left

    assert visitor.sees("/") is None
    assert visitor.log_in("/desk").status_code == 200
    assert visitor.log_out().status_code == 303


@pytest.mark.covers("O02")
def test_logging_out_at_the_provider_too(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.alter("metadata", {"end_session_endpoint": f"{cobot.issuer}/logout?hint=1"}, issuer=cobot.issuer)
    visitor = Visitor(make_portal(COBOT_OIDC_LOGOUT_AT_PROVIDER=True, COBOT_OIDC_AFTER_LOGOUT="/bye"), cobot)
    visitor.log_in("/desk")
    visitor.log_in("/co-up/desk")

    assert visitor.log_out("co-up").location == "/bye"  # its document names no such endpoint
    sent_on = visitor.log_out()

    assert visitor.sees("/") is None
    query = parse_qs(urlsplit(sent_on.location).query)
    assert sent_on.location.startswith(f"{cobot.issuer}/logout?")
    assert query.pop("id_token_hint")
    assert query == {
        "hint": ["1"],
        "client_id": ["portal"],
        "post_logout_redirect_uri": ["http://localhost/bye"],
    }


@pytest.mark.covers("O02")
def test_a_logout_that_has_our_parameters_already_ends_here(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    cobot.alter("metadata", {"end_session_endpoint": f"{cobot.issuer}/logout?client_id=other"}, issuer=cobot.issuer)
    visitor = Visitor(make_portal(COBOT_OIDC_LOGOUT_AT_PROVIDER=True, COBOT_OIDC_AFTER_LOGOUT="/bye"), cobot)
    visitor.log_in("/desk")

    assert visitor.log_out().location == "/bye"
    assert visitor.sees("/") is None
    assert "endpoint_unusable" in caplog.text


@pytest.mark.covers("O02")
def test_logging_out_at_the_provider_asks_it_for_nothing(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.alter("metadata", {"end_session_endpoint": f"{cobot.issuer}/logout"}, issuer=cobot.issuer)
    settings = {"COBOT_OIDC_LOGOUT_AT_PROVIDER": True, "COBOT_OIDC_AFTER_LOGOUT": "/bye"}
    visitor = Visitor(make_portal(**settings), cobot)
    visitor.log_in("/desk")
    fresh = Visitor(make_portal(**settings), cobot)  # a worker that knows no document yet
    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None
    fresh.browser.set_cookie("session", cookie.value)
    cobot.requests.clear()

    assert fresh.log_out().location == "/bye"

    assert fresh.sees("/") is None
    assert cobot.requests == []


@pytest.mark.covers("R10")
def test_all_that_keeps_an_issuer_from_answering_looks_the_same_and_takes_as_long(
    make_portal: MakePortal,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    pages, times = set(), []
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        hostile_server(lambda visit: visit.send(b"SSH-2.0-OpenSSH_9.6\r\n")) as no_http,
        hostile_server(resets) as hangs_up,
    ):
        ports = (closed, silent.getsockname()[1], no_http.port, hangs_up.port)
        for url in (f"{scheme}://127.0.0.1:{port}" for scheme in ("http", "https") for port in ports):
            own = {"issuer": url, "client_id": "own", "client_secret": "s3cret-of-the-own-client"}
            portal = make_portal(
                COBOT_OIDC_SPACE_ISSUERS={"shed": own}, COBOT_OIDC_READ_TIMEOUT=0.1, COBOT_OIDC_TOTAL_TIMEOUT=0.3
            )
            began = time.monotonic()
            page = portal.test_client().get("/cobot/login?space=shed")
            times.append(time.monotonic() - began)
            pages.add((page.status_code, re.sub(r"<code>\w+</code>", "", page.text)))
    assert [status for status, _ in pages] == [503]
    assert min(times) >= 0.3


@pytest.mark.covers("O05")
def test_userinfo_that_is_none(make_portal: MakePortal, cobot: StandIn) -> None:
    replies: list[dict[str, Any]] = [
        {"status": 401, "headers": {"WWW-Authenticate": "Bearer"}},
        {"status": 403},
        {"body": b"<html>", "headers": {"Content-Type": "text/html"}},
        {"headers": {"Content-Type": "application/jwt"}},
        {"body": b"x" * 300_000},
        {"body": b"[]"},
    ]
    for reply in replies:
        visitor = Visitor(make_portal(COBOT_OIDC_USERINFO=True), cobot)
        cobot.reply("userinfo", times=1, **reply)
        assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 502
        assert visitor.sees("/") is None


@pytest.mark.covers("S22", "O04")
def test_userinfo_about_another_person_is_no_login(make_portal: MakePortal, cobot: StandIn) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_USERINFO=True), cobot)
    cobot.alter("userinfo", {"sub": cobot.people["grace"].subject})

    assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 502
    assert visitor.sees("/") is None


@pytest.mark.covers("C15")
def test_userinfo_never_says_who_somebody_is(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.alter("userinfo", {"iss": "https://evil.example", "name": "Mallory", "aud": "other", "nickname": "al"})
    visitor = Visitor(make_portal(COBOT_OIDC_USERINFO=True, COBOT_OIDC_CLAIMS="name nickname iss aud"), cobot)

    page = visitor.log_in("/desk")

    assert page.json is not None
    assert page.json["claims"]["iss"] == cobot.issuer
    assert page.json["claims"]["name"] == "Ada Lovelace"
    assert page.json["claims"]["nickname"] == "al"


@pytest.mark.covers("P03", "C15")
@pytest.mark.parametrize("claim", [{"acr": "urn:example:mfa"}, {"amr": ["mfa"]}, {"auth_time": 1_800_000_000}])
def test_userinfo_does_not_say_how_somebody_has_logged_in(
    make_portal: MakePortal, cobot: StandIn, claim: dict[str, object]
) -> None:
    """The page about the authorization request lets a view look at ``acr``, which the id token has verified."""
    cobot.alter("id_token_claims", dict.fromkeys(("acr", "amr", "auth_time"), REMOVED))
    cobot.alter("userinfo", claim)
    portal = make_portal(COBOT_OIDC_USERINFO=True, COBOT_OIDC_CLAIMS="name acr amr auth_time")
    page = Visitor(portal, cobot).log_in("/desk")

    assert page.json["claims"].keys() == {"iss", "sub", "name"}  # type: ignore[index] # it is JSON


@pytest.mark.covers("N09")
def test_a_document_may_leave_out_what_we_do_not_need(visitor: Visitor, cobot: StandIn) -> None:
    names = ("userinfo_endpoint", "code_challenge_methods_supported", "scopes_supported", "claims_supported")
    cobot.alter("metadata", dict.fromkeys(names, REMOVED))

    assert visitor.log_in("/desk").status_code == 200


SOURCES = sorted(Path(cobot_oidc.__file__).parent.rglob("*.py"))


def imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules.update(alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            modules.add("." * node.level + (node.module or "").partition(".")[0])
    return modules


@pytest.mark.covers("S20")
def test_chance_is_for_secrets_alone() -> None:
    assert all("random" not in imported(path) for path in SOURCES)
    assert all(not {"pickle", "marshal", "shelve"} & imported(path) for path in SOURCES)


def test_the_core_knows_no_flask_no_network_and_no_clock() -> None:
    rooms = [path for path in SOURCES if path.parent.name == "protocol"]
    assert len(rooms) > 10
    forbidden = {"flask", "werkzeug", "requests", "urllib3", "socket", "http", "time", "datetime", "secrets", "os"}
    for path in rooms:
        assert not imported(path) & forbidden, path
        assert {name for name in imported(path) if name.startswith("..")} <= {"..errors", ".._lazy"}, path


SECRETS = {"state", "nonce", "code_verifier", "verifier", "at_hash", "mac", "secret", "client_secret", "access_token"}


def compared(path: Path) -> set[str]:
    """The names on either side of each == and != of a module, without what is compared with a constant."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare) and any(isinstance(operator, (ast.Eq, ast.NotEq)) for operator in node.ops):
            sides = [node.left, *node.comparators]
            if not any(isinstance(side, ast.Constant) for side in sides):
                names.update(side.id for side in sides if isinstance(side, ast.Name))
                names.update(side.attr for side in sides if isinstance(side, ast.Attribute))
    return names


@pytest.mark.covers("S19")
def test_secrets_are_compared_in_constant_time() -> None:
    for path in SOURCES:
        if "standin" not in path.parts:
            assert not compared(path) & SECRETS, path


@pytest.mark.covers("R15")
def test_every_certificate_is_checked() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for switch in ("verify=False", "CERT_NONE", "check_hostname = False", "_create_unverified_context"):
            assert switch not in text, path


@pytest.mark.covers("M04")
def test_an_environment_that_is_used_again_says_nothing_about_the_next_request(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    portal, inner = make_portal(), make_portal(SECRET_KEY="i" * 32)
    seen: list[Any] = []

    @portal.get("/<space>/again")
    def again(space: str) -> str:
        seen.append((space, current_user.get_id()))
        path = {"PATH_INFO": "/betahaus/open", "RAW_URI": "/betahaus/open", "REQUEST_URI": "/betahaus/open"}
        for app in (portal, inner):
            answer = Response.from_app(app.wsgi_app, request.environ | path)
            seen.append(json.loads(answer.get_data())["user"])
            request.environ.update(path)
            seen.append(json.loads(Response.from_app(app.wsgi_app, request.environ).get_data())["user"])
        return "done"

    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk", "grace")
    visitor.log_in("/desk", "grace")
    assert visitor.get("/co-up/again").status_code == 200
    assert seen[0][1] is not None
    assert seen[1:] == [None] * 4


@pytest.mark.covers("M04")
def test_a_view_that_calls_a_guarded_one_goes_on_in_its_own_space(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal()
    board = login_required(space="co-up")(lambda: current_user.get_id())

    @portal.get("/<space>/both")
    @login_required
    def both(space: str) -> dict[str, Any]:
        return {"board": board(), "here": current_user.get_id(), "space": current_space(), "named": space}

    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk", "grace")
    visitor.log_in("/betahaus/desk", "grace")

    page = visitor.get("/betahaus/both").json
    assert page is not None
    assert page["board"].startswith(cobot.space_issuer("co-up"))
    assert page["here"].startswith(cobot.space_issuer("betahaus"))
    assert page["space"] == "betahaus"


@pytest.mark.covers("X06")
def test_a_logout_does_not_wait_for_a_form_of_somebody_who_is_not_logged_in(portal: Flask) -> None:
    class NeverComes:
        def read(self, *_: object) -> bytes:
            raise AssertionError("somebody waits for it")

        readline = readinto = read

    answer = portal.test_client().post(
        "/cobot/logout",
        headers={"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"},
        environ_overrides={"wsgi.input": NeverComes(), "CONTENT_LENGTH": "1000"},
    )

    assert answer.status_code == 303
