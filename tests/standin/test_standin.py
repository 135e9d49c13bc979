"""The stand-in says what Cobot says, traps included (docs/cobot.md 1-4), and does what it is told."""

import signal
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .asking import App

CALLBACK = "http://localhost/cobot/callback"


def ask(cobot: StandIn, url: str, method: str = "GET", **options: object) -> requests.Response:
    """One request to a name below ``localhost``."""
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, **options.pop("headers", {})}  # type: ignore[dict-item]
    address = parts._replace(netloc=f"127.0.0.1:{cobot.port}").geturl()
    return requests.request(method, address, headers=headers, timeout=60, allow_redirects=False, **options)  # type: ignore[arg-type]


def log_in(cobot: StandIn, issuer: str, person: str = "ada", scope: str = "openid email profile") -> requests.Response:
    """A whole login as an app without PKCE would do it: the token response."""
    query = f"response_type=code&client_id=portal&redirect_uri={CALLBACK}&state=s&nonce=n-{person}&scope={scope}"
    answer = urlsplit(cobot.sign_in(f"{issuer}/oauth/authorize?{query}", person))
    parameters = parse_qs(answer.query)
    assert parameters["state"] == ["s"]
    form = {
        "grant_type": "authorization_code",
        "client_id": "portal",
        "client_secret": "s3cret-of-the-portal",
        "code": parameters["code"][0],
    }
    return ask(cobot, f"{issuer}/oauth/access_token", "POST", data=form)


def test_the_global_document_is_cobots(cobot: StandIn) -> None:
    document = ask(cobot, f"{cobot.issuer}/.well-known/openid-configuration").json()

    assert document == {
        "issuer": cobot.issuer,
        "authorization_endpoint": f"{cobot.issuer}/oauth/authorize",
        "token_endpoint": f"{cobot.issuer}/oauth/access_token",
        "userinfo_endpoint": f"{cobot.issuer}/api/userinfo",
        "jwks_uri": f"{cobot.issuer}/jwks.json",
        "registration_endpoint": f"{cobot.issuer}/oauth/register",
        "scopes_supported": ["openid", "email", "profile"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "claims_supported": ["sub", "email", "iss", "profile"],
        "claims_parameter_supported": False,
        "client_id_metadata_document_supported": True,
    }


def test_a_space_has_a_document_of_its_own_and_the_keys_stay_on_www(cobot: StandIn) -> None:
    issuer = cobot.space_issuer("co-up")
    document = ask(cobot, f"{issuer}/.well-known/openid-configuration").json()

    assert document["issuer"] == issuer
    assert document["token_endpoint"] == f"{issuer}/oauth/access_token"
    assert document["jwks_uri"] == f"{cobot.issuer}/jwks.json"
    nowhere = cobot.space_issuer("atlantis")
    assert ask(cobot, f"{nowhere}/.well-known/openid-configuration").status_code == 404


def test_unknown_json_is_valid_and_about_something_else(cobot: StandIn) -> None:
    trap = ask(cobot, f"{cobot.issuer}/jwk.json")

    assert trap.status_code == 200
    assert "keys" not in trap.json()
    assert ask(cobot, f"{cobot.issuer}/jwk").status_code == 404


def test_the_token_response_is_as_sparse_as_cobots(cobot: StandIn) -> None:
    token = log_in(cobot, cobot.issuer).json()

    assert set(token) == {"access_token", "token_type", "id_token"}
    assert token["token_type"] == "bearer"
    assert len(bytes.fromhex(token["access_token"])) == 32


@pytest.mark.parametrize("space", [None, "co-up"])
def test_the_api_knows_the_bearer(cobot: StandIn, space: str | None) -> None:
    issuer = cobot.space_issuer(space) if space else cobot.issuer
    bearer = log_in(cobot, issuer, "grace", "openid read_user").json()["access_token"]
    headers = {"Authorization": f"Bearer {bearer}"}

    user = ask(cobot, f"{cobot.issuer}/api/user", headers=headers).json()
    assert user["id"] == cobot.people["grace"].subject
    assert [membership["space_subdomain"] for membership in user["memberships"]] == ["co-up", "betahaus"]
    assert ask(cobot, f"{issuer}/api/userinfo", headers=headers).json()["sub"] == user["id"]
    assert ask(cobot, f"{cobot.issuer}/api/access_tokens/{bearer}").json() == {"scope": ["openid", "read_user"]}

    assert ask(cobot, f"{cobot.issuer}/api/access_tokens/{bearer}", "DELETE").status_code == 204
    assert ask(cobot, f"{cobot.issuer}/api/user", headers=headers).status_code == 401


def test_an_admin_gets_a_token_for_the_space(cobot: StandIn) -> None:
    admin = log_in(cobot, cobot.issuer, "alex").json()["access_token"]
    member = log_in(cobot, cobot.issuer, "ada").json()["access_token"]

    issued = ask(cobot, f"{cobot.issuer}/api/access_tokens/{admin}/space", "POST", data={"space_id": "co-up"}).json()
    refused = ask(cobot, f"{cobot.issuer}/api/access_tokens/{member}/space", "POST", data={"space_id": "co-up"})

    assert issued["client_id"] == "portal"
    assert issued["token"] != admin
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "response_type=code&client_id=nobody&redirect_uri=" + CALLBACK,
        "response_type=code&client_id=portal&redirect_uri=http://localhost/elsewhere",
    ],
)
def test_nobody_is_sent_to_where_no_client_is(cobot: StandIn, query: str) -> None:
    response = ask(cobot, f"{cobot.issuer}/oauth/authorize?{query}")

    assert response.status_code == 400
    assert "Location" not in response.headers


def test_the_consent_page_says_in_words_what_the_app_may_do(cobot: StandIn) -> None:
    url = f"{cobot.issuer}/oauth/authorize?response_type=code&client_id=portal&scope=openid read_bookings"
    browser = cobot.browser()
    browser.sign_in(url, "ada")

    asked = browser._ask("GET", url).text.partition("<ul>")[2].partition("</ul>")[0]

    assert "<li>See your bookings</li>" in asked
    assert "read_bookings" not in asked


@pytest.mark.parametrize("scope", ["openid write_bookings", "openid read_secrets"])
def test_scopes_that_the_client_is_not_registered_for_are_refused(cobot: StandIn, scope: str) -> None:
    cobot.register_client("small", secret="s", redirect_uri=CALLBACK, scopes="openid read_bookings")
    query = f"response_type=code&client_id=small&redirect_uri={CALLBACK}&state=s&scope={scope}"

    response = ask(cobot, f"{cobot.issuer}/oauth/authorize?{query}")

    answer = parse_qs(urlsplit(response.headers["Location"]).query)
    assert (answer["error"], answer["state"]) == (["invalid_scope"], ["s"])


@pytest.mark.parametrize(("lie", "status"), [("api-limit", 429), ("api-error", 500)])
def test_the_control_page_makes_the_api_fail(cobot: StandIn, lie: str, status: int) -> None:
    browser, control = cobot.browser(), f"{cobot.issuer}/stand-in"
    browser._pressed(control, browser._ask("GET", control), {"action": "lie", "lie": lie})

    for url in (f"{cobot.issuer}/api/user", f"{cobot.api}/user"):
        response = App(cobot, "ada").ask(url)
        assert response.status_code == status
        assert response.headers.get("Retry-After") == ("60" if status == 429 else None)
    assert ask(cobot, f"{cobot.issuer}/jwks.json").status_code == 200


def test_a_code_counts_once_and_for_its_own_issuer(cobot: StandIn) -> None:
    query = f"response_type=code&client_id=portal&redirect_uri={CALLBACK}&scope=openid&state=s"
    code = parse_qs(urlsplit(cobot.sign_in(f"{cobot.issuer}/oauth/authorize?{query}")).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "client_id": "portal",
        "client_secret": "s3cret-of-the-portal",
        "code": code,
    }

    def exchange(issuer: str, **changes: str) -> int:
        return ask(cobot, f"{issuer}/oauth/access_token", "POST", data=form | changes).status_code

    assert exchange(cobot.space_issuer("co-up")) == 400
    assert exchange(cobot.issuer, client_secret="wrong") == 401
    assert exchange(cobot.issuer) == 200
    assert exchange(cobot.issuer) == 400


def test_answers_are_altered_as_often_as_told(cobot: StandIn) -> None:
    cobot.alter("key_set", {"keys": REMOVED}, times=1)
    cobot.reply("key_set", status=418, body=b"tea", headers={"X-Pot": "yes"}, times=2)
    url = f"{cobot.issuer}/jwks.json"

    first, second, third = (ask(cobot, url) for _ in range(3))

    assert (first.status_code, first.text, first.headers["X-Pot"]) == (418, "tea", "yes")
    assert second.status_code == 418
    assert (third.status_code, len(third.json()["keys"])) == (200, 1)
    assert cobot.asked("/jwks.json") == 3


def test_keys_are_rotated(cobot: StandIn) -> None:
    first = cobot.keys.kid
    second = cobot.keys.rotate()
    kids = [key["kid"] for key in ask(cobot, f"{cobot.issuer}/jwks.json").json()["keys"]]
    assert kids == [first, second]

    cobot.keys.rotate(keep_old=False)
    assert len(ask(cobot, f"{cobot.issuer}/jwks.json").json()["keys"]) == 1


@pytest.mark.parametrize("host", ["evil.example", "portal.example:5001"])
def test_it_serves_no_other_machine(cobot: StandIn, host: str) -> None:
    response = requests.get(f"http://127.0.0.1:{cobot.port}/stand-in", headers={"Host": host}, timeout=60)

    assert response.status_code == 403
    assert "must not be used in production" in response.text


def test_every_page_says_what_it_is(cobot: StandIn) -> None:
    authorize = f"{cobot.issuer}/oauth/authorize?response_type=code&client_id=portal&scope=openid"
    for url in (f"{cobot.issuer}/stand-in", authorize, authorize.replace("portal", "nobody")):
        assert "It is not Cobot." in ask(cobot, url).text


def test_its_forms_take_no_post_from_elsewhere(cobot: StandIn) -> None:
    response = ask(cobot, f"{cobot.issuer}/stand-in", "POST", data={"action": "rotate"})

    assert response.status_code == 400
    assert cobot.keys.kid == "key-1"


def test_it_runs_on_its_own(cobot: StandIn) -> None:
    command = [sys.executable, "-m", "cobot_oidc.standin", "--port"]
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, text=True) as stand_in:  # noqa: S603 - our own
        assert stand_in.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            said += stand_in.stdout.readline()
        stand_in.send_signal(signal.SIGINT)
        assert stand_in.wait(60) == 0
    assert "It is not Cobot" in said
    assert "{space}.cobot.localhost" in said

    taken = subprocess.run([*command, str(cobot.port)], capture_output=True, text=True, check=False)  # noqa: S603
    assert taken.returncode == 1
    assert f"Port {cobot.port} is taken." in taken.stderr
