"""``flask cobot check``: each fault that a newcomer has is planted, and told with its remedy."""

import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from werkzeug.middleware.proxy_fix import ProxyFix

from cobot_oidc import membership_required
from cobot_oidc.protocol.client_keys import read_keys
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.keys import rsa_key

from ..conftest import Clock
from ..provider.hostile import answer, hostile_server, says
from ..redis_server import RedisServer
from ..test_session_stores import OldStore
from .conftest import KEY, MakeApp, Run

HTTPS = "https://portal.example/cobot/callback"


def test_nothing_is_wrong_with_an_app_that_has_no_fault(run: Run, make_app: MakeApp) -> None:
    said = run(make_app(), "check")

    assert said.status == 0
    assert said.out.splitlines()[-2] == "No problems, no warnings."
    assert "Only a login shows" in said.out.splitlines()[-1]
    assert all(line.startswith("ok ") for line in said.out.splitlines()[:-2])
    assert "global provider" in said.out
    assert "space co-up" in said.out


def test_json_is_one_document_with_the_same_findings(run: Run, make_app: MakeApp) -> None:
    said = run(make_app(), "check", "--json")

    assert said.status == 0
    assert said.json["level"] == "ok"
    assert said.bad == set()
    assert {"document", "keys", "clock", "redirect_uri", "cookies", "secret_key", "redis_unset"} <= said.codes


# ---------------------------------------------------------------------- settings


def test_an_app_that_does_not_start_says_each_problem_and_no_traceback(run: Run, make_app: MakeApp) -> None:
    def create() -> Flask:
        return make_app(COBOT_OIDC_CLIENT_SECRET="hunter2-of-somebody ", COBOT_OIDC_LEEWAY=301, COBOT_OIDC_CLENT_ID="x")

    said = run(create, "check")

    assert said.status == 1
    assert "problem  COBOT_OIDC_CLIENT_SECRET" in said.out
    assert "expected text without a blank at its end" in said.out
    assert "-> Remove a blank at its end." in said.out
    assert "-> Did you mean COBOT_OIDC_CLIENT_ID?" in said.out
    assert "expected a number of seconds from 0 to 300" in said.out


def test_a_value_from_the_environment_is_to_be_changed_there(
    run: Run, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_COBOT_OIDC_LEEWAY", "301")

    def create() -> Flask:
        return make_app(COBOT_OIDC_LEEWAY=301, COBOT_OIDC_SESSION_LIFETIME=-1)

    said = run(create, "check")

    assert "-> Change FLASK_COBOT_OIDC_LEEWAY in the environment, or in .env, to what is expected." in said.out
    assert "-> Change it in app.config to what is expected." in said.out


def test_a_short_secret_key_names_the_variable_and_the_command(
    run: Run, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", "short")

    said = run(lambda: make_app(SECRET_KEY="short"), "check")

    assert 'python -c "import secrets; print(secrets.token_hex())"' in said.out
    assert "-> Set FLASK_SECRET_KEY to what that command prints." in said.out


def test_an_app_without_the_extension_is_told_so(run: Run) -> None:
    said = run(Flask("portal"), "check", "--json")

    assert said.status == 1
    assert "init_app" in said.finding("not_installed")["remedy"]
    assert "settings" not in said.finding("not_looked_at")["found"]


def test_no_app_at_all_is_wrong_usage(tmp_path: Any) -> None:
    command = [sys.executable, "-m", "flask", "cobot", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_guard_for_members_without_the_setting_that_it_needs_is_found(run: Run, make_app: MakeApp) -> None:
    app = make_app()

    @app.get("/lounge")
    @membership_required
    def lounge() -> str:
        return "The lounge"

    said = run(app, "check")

    assert said.status == 1
    assert "problem  COBOT_OIDC_MEMBERSHIP" in said.out
    assert "lounge" in said.out
    assert "-> Set COBOT_OIDC_MEMBERSHIP to True" in said.out


def test_a_session_store_that_cannot_rotate_is_named_when_it_came_later(run: Run, make_app: MakeApp) -> None:
    app = make_app()
    app.session_interface = OldStore()

    said = run(app, "check", "--json")

    assert said.status == 1
    assert "flask-session>=0.7" in said.finding("session_store_unsafe")["remedy"]


def test_settings_that_are_in_the_environment_under_another_name_are_named(
    run: Run, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COBOT_OIDC_SCOPES", "openid")

    assert "FLASK_COBOT_OIDC_SCOPES" in run(make_app(), "check", "--json").finding("variable_unread")["remedy"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"COBOT_OIDC_SCOPES": "openid read_bookings"}, "scopes_unused"),
        ({"COBOT_OIDC_KEEP_TOKEN": True}, "token_opens_nothing"),
        (
            {
                "COBOT_OIDC_KEEP_TOKEN": True,
                "COBOT_OIDC_REFRESH_TOKENS": True,
                "COBOT_OIDC_SCOPES": "openid read_user",
            },
            "refresh_tokens_not_shared",
        ),
        ({"COBOT_OIDC_MEMBERSHIP": True, "COBOT_OIDC_MEMBERSHIP_LIFETIME": 60}, "membership_not_renewed"),
        ({"COBOT_OIDC_MEMBERSHIP": True, "COBOT_OIDC_SPACES": []}, "membership_without_spaces"),
        ({"COBOT_OIDC_SPACE_ISSUERS": {"nebenan": "http://x.cobot.localhost"}}, "space_unserved"),
        ({"COBOT_OIDC_LOGOUT_AT_PROVIDER": True}, "logout_not_at_provider"),
    ],
)
def test_settings_that_do_not_fit_together_are_warned_of(
    run: Run, make_app: MakeApp, changes: dict[str, Any], code: str
) -> None:
    said = run(make_app(**changes), "check", "--json")

    assert (said.status, said.bad) == (0, {code})
    assert all(each["remedy"] for each in said.json["findings"] if each["code"] == code)


# ---------------------------------------------------------------------- the secret key


def test_a_key_that_somebody_typed_is_warned_of(run: Run, make_app: MakeApp) -> None:
    for key in ("k" * 32, "please-change-me-0123456789-abcdefgh"):
        assert run(make_app(SECRET_KEY=key), "check", "--json").bad == {"secret_key_weak"}


PORTAL = """
import os, secrets
from flask import Flask
from cobot_oidc import CobotOIDC
app = Flask(__name__)
app.config.update(COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_ISSUER=os.environ["ISSUER"])
app.secret_key = {key}
CobotOIDC(app)
"""


@pytest.mark.parametrize(("key", "status"), [("secrets.token_hex()", 1), (repr(KEY), 0)])
def test_a_key_that_is_made_at_the_start_is_told_apart_from_one_that_workers_share(
    cobot: StandIn, tmp_path: Any, key: str, status: int
) -> None:
    (tmp_path / "wsgi.py").write_text(PORTAL.format(key=key), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import cobot_oidc.cli as cli; cli.cobot(['check'])"],
        cwd=tmp_path,
        env={"ISSUER": cobot.issuer, "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stderr
    assert ("A second process of this app has another key" in done.stdout) == bool(status)
    assert ("A second process of this app has the same key" in done.stdout) != bool(status)
    assert KEY not in done.stdout + done.stderr


def test_an_app_that_no_second_process_can_load_is_warned_of(cobot: StandIn, tmp_path: Any) -> None:
    once = "import pathlib\npathlib.Path('loaded').touch(exist_ok=False)\n"
    (tmp_path / "wsgi.py").write_text(once + PORTAL.format(key=repr(KEY)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import cobot_oidc.cli as cli; cli.cobot(['check'])"],
        cwd=tmp_path,
        env={"ISSUER": cobot.issuer, "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "could not be loaded by a second process" in done.stdout
    assert "FileExistsError" not in done.stdout + done.stderr


# ---------------------------------------------------------------------- redirect URI and proxy


def test_the_redirect_uri_to_register_is_printed_for_each_client(run: Run, make_app: MakeApp) -> None:
    own = {"issuer": "http://own.localhost:1", "client_id": "own", "client_secret": "hunter2-of-somebody"}
    app = make_app(COBOT_OIDC_REDIRECT_URI=HTTPS, COBOT_OIDC_SPACE_ISSUERS={"nebenan": own})

    said = run(app, "check")

    assert HTTPS + "\n" in said.out
    assert f"{HTTPS}/nebenan\n" in said.out


def fixed(app: Flask, **trusted: int) -> Flask:
    app.wsgi_app = ProxyFix(app.wsgi_app, **trusted)  # type: ignore[method-assign] # as Flask documents it
    return app


@pytest.mark.parametrize(
    ("changes", "code", "remedy"),
    [
        ({"COBOT_OIDC_REDIRECT_URI": ...}, "redirect_uri_unset", "COBOT_OIDC_REDIRECT_URI=https://"),
        ({"COBOT_OIDC_REDIRECT_URI": ..., "TRUSTED_HOSTS": ["a.example"]}, "http_behind_proxy", "ProxyFix("),
        ({"SERVER_NAME": "portal.example"}, "http_behind_proxy", "https URL that people see"),
        ({"COBOT_OIDC_REDIRECT_URI": "https://Portal.example/cobot/callback"}, "redirect_uri_spelling", "address bar"),
        ({"COBOT_OIDC_REDIRECT_URI": HTTPS.replace("e/", "e:443/")}, "redirect_uri_spelling", "address bar"),
        ({"COBOT_OIDC_REDIRECT_URI": HTTPS, "TRUSTED_HOSTS": ["a.example"]}, "redirect_host_untrusted", "Add portal"),
        (
            {"COBOT_OIDC_REDIRECT_URI": HTTPS, "SERVER_NAME": "a.example"},
            "redirect_host_other",
            "the one that is wrong",
        ),
        ({"COBOT_OIDC_REDIRECT_URI": HTTPS.replace("/cobot", "/app/cobot")}, "prefix_of_proxy", "X-Forwarded-Prefix"),
    ],
)
def test_a_redirect_uri_that_cobot_or_browsers_will_not_match_is_told(
    run: Run, make_app: MakeApp, changes: dict[str, Any], code: str, remedy: str
) -> None:
    assert remedy in run(make_app(**changes), "check", "--json").finding(code)["remedy"]


def test_a_prefix_that_the_proxy_adds_is_fine_once_the_app_is_told(
    run: Run, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"COBOT_OIDC_REDIRECT_URI": HTTPS.replace("/cobot", "/app/cobot")}

    assert run(fixed(make_app(**changes), x_prefix=1), "check", "--json").bad == set()
    assert run(fixed(make_app(**changes), x_proto=1), "check", "--json").bad == {"prefix_of_proxy"}
    monkeypatch.setenv("SCRIPT_NAME", "/app")
    assert run(make_app(**changes), "check", "--json").bad == set()


def test_an_http_redirect_uri_behind_a_proxy_is_a_problem(run: Run, make_app: MakeApp) -> None:
    said = run(fixed(make_app(), x_proto=1), "check", "--json")

    assert (said.status, said.bad) == (1, {"http_behind_proxy"})


# ---------------------------------------------------------------------- cookies


@pytest.mark.parametrize(
    ("changes", "code", "level"),
    [
        ({"SESSION_COOKIE_SECURE": True}, "cookie_secure_over_http", "warning"),
        ({"COBOT_OIDC_REDIRECT_URI": HTTPS, "SESSION_COOKIE_DOMAIN": "other.example"}, "cookie_domain", "problem"),
        ({"COBOT_OIDC_REDIRECT_URI": HTTPS, "SESSION_COOKIE_DOMAIN": "ortal.example"}, "cookie_domain", "problem"),
        ({"SESSION_COOKIE_PATH": "/desk"}, "cookie_path", "problem"),
        ({"APPLICATION_ROOT": "/app"}, "cookie_path", "problem"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "cookie_same_site", "problem"),
        ({"COBOT_OIDC_REDIRECT_URI": HTTPS, "SESSION_COOKIE_SAMESITE": "None"}, "cookie_same_site", "warning"),
        ({"SESSION_COOKIE_NAME": "__Host-session"}, "cookie_name", "problem"),
        ({"COBOT_OIDC_EMBEDDED": True}, "frame_needs_https", "warning"),
    ],
)
def test_cookies_that_will_not_come_back_are_told(
    run: Run, make_app: MakeApp, changes: dict[str, Any], code: str, level: str
) -> None:
    said = run(make_app(**changes), "check", "--json")

    assert said.finding(code)["level"] == level
    assert said.finding(code)["remedy"]
    assert said.bad == {code}
    assert said.status == (level == "problem")


def test_a_cookie_for_the_domain_above_the_redirect_uri_comes_back(run: Run, make_app: MakeApp) -> None:
    app = make_app(
        COBOT_OIDC_REDIRECT_URI="https://a.portal.example/cobot/callback", SESSION_COOKIE_DOMAIN=".portal.example"
    )

    assert run(app, "check", "--json").bad == set()


def test_a_cookie_that_became_insecure_after_the_start_is_told(run: Run, make_app: MakeApp) -> None:
    app = make_app(COBOT_OIDC_REDIRECT_URI=HTTPS)
    app.config["SESSION_COOKIE_SECURE"] = False

    assert run(app, "check", "--json").bad == {"cookie_not_secure"}


# ---------------------------------------------------------------------- the provider


@pytest.mark.parametrize(
    ("ahead", "level"), [(3, None), (-3, None), (30, "warning"), (-30, "warning"), (90, "problem"), (-90, "problem")]
)
def test_a_clock_that_is_off_is_told(
    run: Run, make_app: MakeApp, clock: Clock, ahead: float, level: str | None
) -> None:
    app = make_app()
    clock.move(ahead)

    said = run(app, "check", "--json")

    if level is None:
        assert said.bad == set()
        return
    found = next(each for each in said.json["findings"] if each["code"] == "clock_off")
    assert found["level"] == level
    assert ("ahead of" in found["found"]) == (ahead > 0)
    assert re.search(r"\b(29|30|31|89|90|91) seconds", found["found"])
    assert "NTP" in found["remedy"]
    assert said.status == (level == "problem")


def test_a_document_that_a_cache_kept_for_a_while_does_not_make_the_clock_wrong(
    run: Run, make_app: MakeApp, clock: Clock, cobot: StandIn
) -> None:
    app = make_app(COBOT_OIDC_SPACES=[])
    clock.move(300)
    cobot.reply("metadata", headers={"Age": "300"})

    assert "clock_off" not in run(app, "check", "--json").codes


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"keys": []}', b'{"keys": {}}', b'{"keys": [{"kty": "oct", "k": "aaaa"}]}', b""]
)
def test_a_key_set_that_is_none_is_told(run: Run, make_app: MakeApp, cobot: StandIn, body: bytes) -> None:
    cobot.reply("key_set", body=body)

    said = run(make_app(COBOT_OIDC_SPACES=[]), "check", "--json")

    assert (said.status, said.bad) == (1, {"key_set_unusable"})
    assert "JWK Set" in said.finding("key_set_unusable")["found"]


def test_keys_that_fit_no_allowed_algorithm_are_told(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.alter("metadata", {"id_token_signing_alg_values_supported": ["ES256", "RS256"]})

    said = run(make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_ALGORITHMS="ES256"), "check", "--json")
    assert "COBOT_OIDC_ALGORITHMS" in said.finding("key_unsuitable")["remedy"]

    said = run(make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_ALGORITHMS="PS256"), "check", "--json")
    assert "Add an algorithm" in said.finding("algorithms_disjoint")["remedy"]


def test_a_private_key_in_a_key_set_is_a_problem(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.alter("key_set", lambda keys: {"keys": [*keys["keys"], {**keys["keys"][0], "d": "hunter2-of-somebody"}]})

    assert run(make_app(COBOT_OIDC_SPACES=[]), "check", "--json").bad == {"key_private"}


def test_a_space_that_does_not_exist_is_told(run: Run, make_app: MakeApp) -> None:
    said = run(make_app(COBOT_OIDC_SPACES="*"), "check", "co-up", "nowhere", "--json")

    assert (said.status, said.bad) == (1, {"provider_not_found"})
    assert said.finding("provider_not_found")["subject"] == "space nowhere"
    assert "address of the space" in said.finding("provider_not_found")["remedy"]


@pytest.mark.parametrize("space", ["betahaus", "Co-Up", "https://co-up.cobot.me", "\x1b[2J"])
def test_a_space_that_the_app_does_not_serve_is_told(run: Run, make_app: MakeApp, space: str) -> None:
    said = run(make_app(), "check", space)

    assert said.status == 1
    assert "COBOT_OIDC_SPACES" in said.out
    assert "\x1b" not in said.out


def test_a_function_of_the_app_that_fails_is_told(run: Run, make_app: MakeApp) -> None:
    def serves(space: str) -> bool:
        raise LookupError(f"hunter2-of-somebody is not {space}")

    said = run(make_app(COBOT_OIDC_SPACES=serves), "check", "co-up", "--json")

    assert (said.status, said.bad) == (1, {"spaces_unanswered"})
    assert "LookupError" in said.finding("spaces_unanswered")["found"]


def test_spaces_that_are_not_listed_have_to_be_named(run: Run, make_app: MakeApp) -> None:
    assert "spaces_unlisted" in run(make_app(COBOT_OIDC_SPACES="*"), "check", "--json").codes
    assert "spaces_unlisted" not in run(make_app(COBOT_OIDC_SPACES="*"), "check", "co-up", "--json").codes


def test_at_most_twenty_listed_spaces_are_asked(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    listed = [f"space-{number}" for number in range(25)]
    for space in listed:
        cobot.spaces[space] = space

    said = run(make_app(COBOT_OIDC_SPACES=listed), "check", "--json")

    assert said.bad == {"spaces_left_out"}
    assert cobot.asked("/.well-known/openid-configuration") == 21
    assert cobot.asked("/jwks.json") == 1


def test_an_endpoint_on_another_host_is_told(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.alter("metadata", {"token_endpoint": "https://evil.example/token"})

    found = run(make_app(COBOT_OIDC_SPACES=[]), "check", "--json").finding("endpoint_forbidden")

    assert "evil.example" in found["found"]
    assert "COBOT_OIDC_ALLOWED_HOSTS" in found["remedy"]


def test_a_provider_without_document_is_told(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.reply("metadata", status=404)

    assert (
        "COBOT_OIDC_ISSUER"
        in run(make_app(COBOT_OIDC_SPACES=[]), "check", "--json").finding("issuer_not_found")["found"]
    )


def test_a_userinfo_endpoint_that_is_needed_and_missing_is_a_problem(
    run: Run, make_app: MakeApp, cobot: StandIn
) -> None:
    cobot.alter("metadata", {"userinfo_endpoint": None})

    said = run(make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_USERINFO=True), "check", "--json")
    assert said.bad == {"userinfo_unusable"}


def test_how_the_client_proves_itself_is_told_without_its_secrets(run: Run, make_app: MakeApp) -> None:
    keys = [rsa_key(number).as_pem(private=True).decode() for number in (0, 1)]
    first, second = (key.kid for key in read_keys(keys))
    secret = "hunter2-of-somebody" * 2
    by_secret = make_app(COBOT_OIDC_CLIENT_SECRET=secret, COBOT_OIDC_CLIENT_AUTH="client_secret_jwt")

    assert "client_secret_jwt, by HS256" in run(by_secret, "check", "--json").finding("client")["found"]
    said = run(make_app(COBOT_OIDC_CLIENT_SECRET=..., COBOT_OIDC_CLIENT_KEY=keys), "check", "--json")
    assert said.bad == set()
    assert f"{first!a} signs with RS256; {second!a} can take over" in said.finding("client")["found"]
    own = {"issuer": "https://members.example", "client_id": "own", "client_key": keys[1]}
    theirs = run(make_app(COBOT_OIDC_SPACE_ISSUERS={"nebenan": own}), "check").out
    assert f"client of nebenan: It proves who it is with private_key_jwt: the key {second!a}" in theirs
    assert "client" not in run(make_app(), "check", "--json").codes


@pytest.mark.parametrize(
    ("listed", "bad"),
    [
        (["client_secret_basic", "private_key_jwt"], {"authentication_not_offered"}),
        (["client_secret_basic", "client_secret_post"], set()),
        (["none"], set()),  # as Cobot's document has it
        (None, set()),
        ("client_secret_basic", set()),
        ([1, "client_secret_basic"], {"authentication_not_offered"}),
    ],
)
def test_an_authentication_that_the_document_does_not_list_is_warned_of(
    run: Run, make_app: MakeApp, cobot: StandIn, listed: object, bad: set[str]
) -> None:
    cobot.alter("metadata", {"token_endpoint_auth_methods_supported": listed})

    assert run(make_app(COBOT_OIDC_SPACES=[]), "check", "--json").bad == bad
    public = make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_CLIENT_SECRET=...)
    assert run(public, "check", "--json").bad == set()


def test_a_request_that_cannot_be_pushed_is_a_problem(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    app = make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS=True)

    assert run(app, "check", "--json").bad == {"pushed_request_unusable"}
    cobot.take_pushed_requests("allowed")
    said = run(app, "check", "--json")
    assert said.bad == set()
    assert "pushed_requests" in said.codes


def test_userinfo_that_could_not_be_verified_is_a_problem(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.alter("metadata", {"userinfo_signing_alg_values_supported": ["ES256"]})

    for setting, bad in (("signed", {"algorithms_disjoint"}), (True, set())):
        said = run(make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_USERINFO=setting), "check", "--json")
        assert said.bad == bad


def test_a_provider_that_is_not_there_is_told_with_the_proxy_that_is_not_read(
    run: Run, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    app = make_app(COBOT_OIDC_ISSUER=f"http://127.0.0.1:{port}", COBOT_OIDC_SPACES=[], COBOT_OIDC_SPACE_ISSUER=...)

    finding = run(app, "check", "--json").finding("provider_unreachable")
    assert "connection refused" in finding["found"]
    assert "python -m cobot_oidc.standin" in finding["remedy"]
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2-of-somebody@proxy:3128")
    assert "COBOT_OIDC_PROXIES" in run(app, "check", "--json").finding("provider_unreachable")["remedy"]


def test_a_provider_that_hangs_is_given_up_in_time(run: Run, make_app: MakeApp, cobot: StandIn) -> None:
    cobot.reply("metadata", delay=3)

    assert "timeout" in run(make_app(COBOT_OIDC_SPACES=[], COBOT_OIDC_TOTAL_TIMEOUT=0.3), "check").out


def test_a_provider_that_does_not_speak_tls_is_told(run: Run, make_app: MakeApp) -> None:
    with hostile_server(lambda visit: visit.send(answer())) as server:
        app = make_app(
            COBOT_OIDC_ISSUER=f"https://127.0.0.1:{server.port}", COBOT_OIDC_SPACES=[], COBOT_OIDC_SPACE_ISSUER=...
        )
        said = run(app, "check", "--json")

    assert (said.status, said.bad) == (1, {"tls_failed"})
    assert "COBOT_OIDC_CA_BUNDLE" in said.finding("tls_failed")["remedy"]


def test_a_hostile_document_cannot_write_to_the_terminal(run: Run, make_app: MakeApp) -> None:
    hostile = answer(b'{"issuer": "\\u001b[2J\\nok all is well"}')
    with hostile_server(says(hostile)) as server:
        app = make_app(COBOT_OIDC_ISSUER=server.url().rstrip("/"), COBOT_OIDC_SPACES=[], COBOT_OIDC_SPACE_ISSUER=...)
        said = run(app, "check")

    assert said.status == 1
    assert "belongs to another issuer" in said.out
    assert "\x1b" not in said.out
    assert "\nok all is well" not in said.out


@pytest.mark.parametrize(("works", "code"), [(True, "api"), (False, "provider_unreachable")])
def test_the_api_is_asked_if_the_app_uses_it(
    run: Run, make_app: MakeApp, cobot: StandIn, works: bool, code: str
) -> None:
    url = cobot.api if works else "http://localhost:1"
    app = make_app(COBOT_OIDC_MEMBERSHIP=True, COBOT_OIDC_API_URL=url)

    said = run(app, "check", "--json")

    assert said.finding(code)["subject"] == "COBOT_OIDC_API_URL"
    assert said.status == (not works)


# ---------------------------------------------------------------------- Redis


def test_a_redis_that_works_is_told_and_left_as_it_was(run: Run, make_app: MakeApp, redis: RedisServer) -> None:
    said = run(make_app(COBOT_OIDC_REDIS_URL=redis.url), "check", "--json")

    assert said.bad == set()
    assert "can be written to" in said.finding("redis")["found"]
    assert redis.keys() == []


def test_a_redis_that_is_not_there_is_told(run: Run, make_app: MakeApp, redis: RedisServer) -> None:
    redis.stop()
    url = redis.url.replace("//", "//user:pass-of-redis@")

    said = run(make_app(COBOT_OIDC_REDIS_URL=url), "check", "--json")

    assert (said.status, said.bad) == (1, {"redis_unreachable"})


def test_a_redis_that_hangs_is_told(run: Run, make_app: MakeApp, redis: RedisServer) -> None:
    redis.hang()
    try:
        said = run(make_app(COBOT_OIDC_REDIS_URL=redis.url), "check", "--json")
    finally:
        redis.go_on()

    assert (said.status, said.bad) == (1, {"redis_slow"})


@pytest.fixture
def configured(redis: RedisServer) -> Iterator[Callable[[str, str], None]]:
    """Sets an option of Redis for one test."""
    client = Redis.from_url(redis.url)
    before: dict[str, Any] = {}

    def configure(name: str, value: str) -> None:
        before.update(client.config_get(name))  # type: ignore[arg-type] # redis-py's types are of its async client too
        client.config_set(name, value)

    yield configure
    for name, value in before.items():
        client.config_set(name, value)
    client.close()


def test_a_redis_that_refuses_the_password_is_told(run: Run, make_app: MakeApp, redis: RedisServer) -> None:
    url = redis.url.replace("//", "//nobody:pass-of-redis@")

    said = run(make_app(COBOT_OIDC_REDIS_URL=url), "check", "--json")

    assert (said.status, said.bad) == (1, {"redis_login"})
    assert "percent-encoded" in said.finding("redis_login")["remedy"]


def test_a_redis_user_who_may_not_write_is_told(run: Run, make_app: MakeApp, redis: RedisServer) -> None:
    client = Redis.from_url(redis.url)
    client.acl_setuser(
        "reader", enabled=True, passwords="+pass-of-redis", keys=["*"], categories=["+@read"], commands=["+ping"]
    )
    url = redis.url.replace("//", "//reader:pass-of-redis@")

    said = run(make_app(COBOT_OIDC_REDIS_URL=url), "check", "--json")

    client.acl_deluser("reader")
    client.close()
    assert (said.status, said.bad) == (1, {"redis_permission"})


def test_a_redis_that_is_full_is_told(
    run: Run, make_app: MakeApp, redis: RedisServer, configured: Callable[[str, str], None]
) -> None:
    configured("maxmemory", "1")

    assert run(make_app(COBOT_OIDC_REDIS_URL=redis.url), "check", "--json").bad == {"redis_full"}


@pytest.mark.parametrize(
    ("policy", "keeps", "warned"),
    [("allkeys-lru", False, True), ("volatile-lru", False, False), ("volatile-lru", True, True)],
)
def test_a_redis_that_drops_kept_tokens_is_warned_of(
    run: Run,
    make_app: MakeApp,
    redis: RedisServer,
    configured: Callable[[str, str], None],
    policy: str,
    keeps: bool,
    warned: bool,
) -> None:
    configured("maxmemory-policy", policy)
    scopes = "openid read_bookings" if keeps else "openid"
    app = make_app(COBOT_OIDC_REDIS_URL=redis.url, COBOT_OIDC_KEEP_TOKEN=keeps, COBOT_OIDC_SCOPES=scopes)

    assert ("redis_evicts" in run(app, "check", "--json").bad) == warned


# ---------------------------------------------------------------------- how it looks


def test_there_are_colours_and_a_progress_line_on_a_terminal_alone(cobot: StandIn, tmp_path: Any) -> None:
    (tmp_path / "wsgi.py").write_text(PORTAL.format(key=repr(KEY)), encoding="utf-8")
    command = [sys.executable, "-c", "import cobot_oidc.cli as cli; cli.cobot(['check'])"]
    environment = {"ISSUER": cobot.issuer, "PYTHONPATH": ":".join(filter(None, sys.path)), "TERM": "xterm"}
    shown = {}
    for no_colour in ({}, {"NO_COLOR": "1"}):
        ours, theirs = pty.openpty()
        read: list[bytes] = []

        def drain(terminal: int = ours, into: list[bytes] = read) -> None:
            try:
                while more := os.read(terminal, 4096):
                    into.append(more)
            except OSError:  # the other side has gone
                return

        thread = threading.Thread(target=drain)
        thread.start()
        subprocess.run(  # noqa: S603 - our own
            command, cwd=tmp_path, env=environment | no_colour, stdout=theirs, stderr=theirs, check=True
        )
        os.close(theirs)
        thread.join(60)
        os.close(ours)
        shown[bool(no_colour)] = b"".join(read)

    assert b"Asking for documents" in shown[False]
    assert b"\x1b[32mok" in shown[False]
    assert b"\x1b[32mok" not in shown[True]
    piped = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)  # noqa: S603
    assert b"\x1b" not in piped.stdout
    assert b"Asking" not in piped.stderr


def test_wrong_usage_has_a_status_of_its_own(run: Run, make_app: MakeApp) -> None:
    assert run(make_app(), "check", "--nonsense").status == 2
