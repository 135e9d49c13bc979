"""``flask cobot register``: from a provider that does not know the app yet, to somebody who is logged in."""

import importlib
import io
import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dotenv import dotenv_values
from flask import Flask

from cobot_oidc import CobotOIDC
from cobot_oidc.cli import COMMANDS
from cobot_oidc.cli import cobot as command_group
from cobot_oidc.cli.environment import line
from cobot_oidc.standin import StandIn

from .conftest import CALLBACK, SECRET_KEY, Clock, Visitor, add_pages

REPOSITORY = Path(__file__).parents[1]
ENTRY_POINTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
NAME = ["--name", "Portal", "--redirect-uri", CALLBACK]


class Said(NamedTuple):
    """What a command leaves behind."""

    status: int
    out: str
    err: str


Register = Callable[..., Said]


@pytest.fixture
def register(cobot: StandIn, capsys: pytest.CaptureFixture[str]) -> Register:
    """Runs ``flask cobot register`` against the stand-in."""

    def run(*options: str, issuer: str = cobot.issuer, name: list[str] = NAME) -> Said:
        with pytest.raises(SystemExit) as ended:
            command_group(["register", "--issuer", issuer, *name, *options], prog_name="flask cobot")
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(int(ended.value.code or 0), captured.out, captured.err)

    return run


def as_dotenv_reads(text: str) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}


def as_a_shell_reads(text: str) -> dict[str, str]:
    words = [word for each in text.splitlines() for word in shlex.split(each, comments=True)]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def as_flask_reads(environment: dict[str, str]) -> dict[str, Any]:
    app = Flask("portal")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        app.config.from_prefixed_env()
    return {name: value for name, value in app.config.items() if name.startswith("COBOT_OIDC_")}


def portal(settings: dict[str, Any], clock: Clock) -> Flask:
    app = Flask("portal")
    app.config.update(settings, TESTING=True, SECRET_KEY=SECRET_KEY)
    CobotOIDC(app, clock=clock)
    add_pages(app)
    return app


def unsaid(cobot: StandIn, said: Said) -> bool:
    """Whether no secret is among the words for people."""
    return not any(secret in said.err for secret in cobot.secrets)


# ---------------------------------------------------------------------- what is registered logs in


@pytest.mark.module("oidcc-client-test-dynamic-registration")
@pytest.mark.parametrize("read", [as_dotenv_reads, as_a_shell_reads])
@pytest.mark.parametrize("options", [[], ["--public"]], ids=["with a secret", "public"])
def test_the_printed_lines_make_an_app_that_people_can_log_in_to(
    register: Register, cobot: StandIn, clock: Clock, read: Callable[[str], dict[str, str]], options: list[str]
) -> None:
    said = register(*options)

    assert said.status == 0
    assert unsaid(cobot, said)
    settings = as_flask_reads(read(said.out))
    assert ("COBOT_OIDC_CLIENT_SECRET" in settings) == (not options)
    assert Visitor(portal(settings, clock), cobot).log_in("/desk").json["claims"]["name"] == "Ada Lovelace"  # type: ignore[index]


def test_the_printed_json_makes_one_too(register: Register, cobot: StandIn, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "cobot.json").write_text(register("--json").out, encoding="utf-8")
    app = Flask("portal", root_path=str(tmp_path))
    app.config.from_file("cobot.json", load=json.load)
    settings = {name: value for name, value in app.config.items() if name.startswith("COBOT_OIDC_")}

    assert Visitor(portal(settings, clock), cobot).log_in("/desk").status_code == 200


def test_the_configuration_alone_is_on_stdout(register: Register) -> None:
    lines = register().out.splitlines()

    assert [each.partition("=")[0] for each in lines] == [
        "FLASK_COBOT_OIDC_CLIENT_ID",
        "FLASK_COBOT_OIDC_CLIENT_SECRET",
        "FLASK_COBOT_OIDC_REDIRECT_URI",
        "FLASK_COBOT_OIDC_ISSUER",
    ]


def test_settings_that_are_not_the_default_are_printed(register: Register) -> None:
    uri = "http://localhost/login/callback"
    said = register(
        *("--scope", "email read_user", "--url-prefix", "/login", "--allowed-host", "a.localhost"),
        name=["--name", "P", "--redirect-uri", uri],
    )

    settings = as_flask_reads(as_dotenv_reads(said.out))
    assert settings["COBOT_OIDC_SCOPES"] == "openid email read_user"
    assert settings["COBOT_OIDC_URL_PREFIX"] == "/login"
    assert settings["COBOT_OIDC_ALLOWED_HOSTS"] == "a.localhost"
    assert settings["COBOT_OIDC_REDIRECT_URI"] == uri


def test_what_it_cannot_know_is_said_in_words(register: Register) -> None:
    said = register("--scope", "read_user").err

    for words in ("approve the client", "may use read_user", "FLASK_COBOT_OIDC_SPACES", "FLASK_SECRET_KEY"):
        assert words in said
    assert "shown this one time only" in said
    assert "It does not expire" in said


@pytest.mark.parametrize(("expires", "words"), [(1_900_000_000, "2030-03-17 at 17:46"), (None, "does not say whether")])
def test_it_says_when_the_secret_expires(register: Register, cobot: StandIn, expires: int | None, words: str) -> None:
    cobot.alter("registration", {"client_secret_expires_at": expires})

    assert words in register().err


def test_what_the_app_s_environment_already_says_need_not_be_said_again(
    register: Register, cobot: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client is registered at the issuer that the app will ask, not at Cobot."""
    monkeypatch.setenv("FLASK_COBOT_OIDC_ISSUER", cobot.issuer)
    monkeypatch.setenv("FLASK_COBOT_OIDC_REDIRECT_URI", "http://localhost/login/callback")
    monkeypatch.setenv("FLASK_COBOT_OIDC_URL_PREFIX", "/login")
    with pytest.raises(SystemExit) as ended:
        command_group(["register", "--name", "Portal"])

    assert ended.value.code == 0
    assert cobot.asked("/oauth/register") == 1
    assert f"FLASK_COBOT_OIDC_ISSUER={cobot.issuer}\n" in capsys.readouterr().out

    monkeypatch.delenv("FLASK_COBOT_OIDC_URL_PREFIX")
    monkeypatch.setenv("FLASK_COBOT_OIDC_CA_BUNDLE", "/no/such/file")
    said = register()
    assert said.status == 1
    assert "COBOT_OIDC_CA_BUNDLE" in said.err
    assert cobot.asked("/oauth/register") == 1


def test_a_provider_that_hangs_is_given_up_in_the_time_that_the_app_allows(
    register: Register, cobot: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_COBOT_OIDC_TOTAL_TIMEOUT", "1")
    cobot.reply("registration", delay=10)

    said = register()

    assert (said.status, said.out) == (1, "")
    assert "provider_unreachable" in said.err
    assert "may have registered a client nevertheless" in said.err


# ---------------------------------------------------------------------- the registration access token


ACCESS = {"registration_client_uri": "https://op.example/c/1", "registration_access_token": "token-of-the-registration"}


def test_a_registration_access_token_is_only_shown_to_those_who_ask_for_it(register: Register, cobot: StandIn) -> None:
    cobot.alter("registration", ACCESS)

    said = register()
    assert "token-of-the-registration" not in said.out + said.err
    assert "--show-access-token" in said.err

    said = register("--show-access-token")
    assert "# registration_access_token: token-of-the-registration\n" in said.out
    assert "COBOT" in min(as_dotenv_reads(said.out))  # comments are no settings
    assert json.loads(register("--show-access-token", "--json").out).items() >= ACCESS.items()
    assert unsaid(cobot, said)


# ---------------------------------------------------------------------- another registration than was asked for


@pytest.mark.covers("A10")
@pytest.mark.parametrize(
    ("registered", "printed"),
    [
        (["http://localhost/app/cobot/callback"], "http://localhost/app/cobot/callback"),
        (["http://localhost/elsewhere"], CALLBACK),  # the app would not start
        (["https://evil.example/cobot/callback"], CALLBACK),  # a provider moves no app to another host
        (["http://localhost/a/cobot/callback", "http://localhost/b/cobot/callback"], CALLBACK),
        ([], CALLBACK),
    ],
)
def test_another_redirect_uri_is_named(register: Register, cobot: StandIn, registered: list[str], printed: str) -> None:
    cobot.alter("registration", {"redirect_uris": registered})

    said = register()

    assert as_dotenv_reads(said.out)["FLASK_COBOT_OIDC_REDIRECT_URI"] == printed
    assert "registered another redirect URI: " + (" ".join(registered) or "none") in said.err
    assert f"The configuration has {printed}." in said.err
    assert ("No login will work" in said.err) == (printed == CALLBACK)


def test_one_of_several_registered_redirect_uris_is_enough(register: Register, cobot: StandIn) -> None:
    cobot.alter("registration", {"redirect_uris": ["http://localhost/other", CALLBACK]})

    assert "another redirect URI" not in register().err


def test_another_authentication_is_named_and_printed(register: Register, cobot: StandIn) -> None:
    cobot.alter("registration", {"token_endpoint_auth_method": "client_secret_basic"})

    said = register()

    assert as_dotenv_reads(said.out)["FLASK_COBOT_OIDC_CLIENT_AUTH"] == "client_secret_basic"
    assert "registered the authentication client_secret_basic instead of client_secret_post" in said.err


def test_a_secret_beside_none_is_used_as_cobot_means_it(register: Register, cobot: StandIn) -> None:
    cobot.alter("registration", {"token_endpoint_auth_method": "none"})

    said = register()

    assert "FLASK_COBOT_OIDC_CLIENT_SECRET" in as_dotenv_reads(said.out)
    assert "The configuration uses client_secret_post, as the provider issued a secret" in said.err


def test_a_public_client_keeps_no_secret_that_it_was_given(register: Register, cobot: StandIn) -> None:
    cobot.alter("registration", {"client_secret": "a secret nobody asked for"})

    said = register("--public")

    assert "nobody asked for" not in said.out + said.err
    assert "a public client needs none. It is not printed" in said.err


@pytest.mark.covers("A10")
def test_a_provider_can_narrow_scopes_but_not_add_any(register: Register, cobot: StandIn) -> None:
    cobot.alter("registration", {"scope": "email write_bookings"})

    said = register()

    assert as_flask_reads(as_dotenv_reads(said.out))["COBOT_OIDC_SCOPES"] == "openid email"
    assert "did not register these scopes: openid profile" in said.err


# ---------------------------------------------------------------------- refusals


def test_a_provider_that_registers_nobody_is_named(register: Register, cobot: StandIn) -> None:
    cobot.alter("metadata", {"registration_endpoint": None})

    said = register()

    assert (said.status, said.out) == (1, "")
    assert "registration_unsupported" in said.err
    assert cobot.asked("/oauth/register") == 0


def test_an_issuer_without_a_document_is_named(register: Register, cobot: StandIn) -> None:
    said = register(issuer=cobot.issuer.replace("www", "nowhere"))

    assert (said.status, said.out) == (1, "")
    assert "issuer_not_found" in said.err


def test_a_refusal_says_the_provider_s_code_and_reason(register: Register, cobot: StandIn) -> None:
    said = register(name=["--name", "P", "--redirect-uri", "http://[::1]/cobot/callback"])

    assert (said.status, said.out) == (1, "")
    assert "registration_refused" in said.err
    assert "'invalid_redirect_uri'" in said.err
    assert "exactly one redirect URI" in said.err
    assert cobot.asked("/oauth/register") == 1


@pytest.mark.covers("A09")
@pytest.mark.covers("L03")
def test_what_a_provider_says_cannot_write_to_the_terminal(register: Register, cobot: StandIn) -> None:
    body = json.dumps({"error": "invalid_client_metadata", "error_description": "\x1b[2J\nGood!" + "x" * 5000})
    cobot.reply("registration", status=400, body=body.encode())

    said = register()

    assert said.status == 1
    assert "\x1b" not in said.err
    assert "\nGood" not in said.err
    assert len(said.err) < 1500


@pytest.mark.parametrize(
    "options",
    [
        ["--redirect-uri", "http://portal.example/cobot/callback"],
        ["--redirect-uri", "https://portal.example/cobot/callback?a=b"],
        ["--redirect-uri", "https://portal.example/callback"],
        ["--issuer", "www.cobot.me"],
        ["--issuer", "http://www.cobot.me"],
        ["--scope", "openid,email"],
        ["--name", "  "],
        ["--name", "a\nb"],
        ["--url-prefix", "cobot"],
        ["--allowed-host", "https://a.example"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_registers_nothing(register: Register, cobot: StandIn, options: list[str]) -> None:
    said = register(*options)

    assert (said.status, said.out) == (2, "")
    assert options[0] in said.err
    assert cobot.asked("/oauth/register") == 0


@pytest.mark.parametrize("left_out", ["--name", "--redirect-uri"])
def test_the_name_and_the_redirect_uri_are_required(register: Register, left_out: str) -> None:
    given = {"--name": "P", "--redirect-uri": CALLBACK}
    said = register(name=[word for name, value in given.items() if name != left_out for word in (name, value)])

    assert said.status == 2
    assert left_out in said.err


# ---------------------------------------------------------------------- hostile answers


SECRET = "a-secret-of-a-hostile-answer"


@pytest.mark.covers("A09")
@pytest.mark.covers("N02", "N04", "J16")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"client_id": "a", "x": "' + b"x" * 300_000 + b'"}', "application/json"),
        (b'{"client_id": "a", "x": "' + b"x" * 70_000 + b'"}', "application/json"),
        (b"<html><p>Registered!</p></html>", "text/html"),
        (b'{"client_id": "a"}', "text/html"),
        (b'["client_id"]', "application/json"),
        (b'{"client_id": 7}', "application/json"),
        (b'{"client_id": "a", "client_secret": {"value": "%s"}}' % SECRET.encode(), "application/json"),
        (b'{"client_id": "a", "client_secret": "b", "client_secret": "%s"}' % SECRET.encode(), "application/json"),
        (b'{"client_id": "a", "client_secret": "%s\\nFLASK_DEBUG=1"}' % SECRET.encode(), "application/json"),
        (b'{"client_id": "a\\r\\nFLASK_DEBUG=1", "client_secret": "%s"}' % SECRET.encode(), "application/json"),
        (b'{"client_id": "a", "client_secret": "\\u001b[2J%s"}' % SECRET.encode(), "application/json"),
        (b'{"client_id": "a", "client_secret": "\\u2028%s"}' % SECRET.encode(), "application/json"),
        (b'{"client_id": "a", "token_endpoint_auth_method": "client_secret_post"}', "application/json"),
    ],
)
def test_a_hostile_answer_prints_nothing_to_paste(
    register: Register, cobot: StandIn, body: bytes, content_type: str
) -> None:
    cobot.reply("registration", status=201, body=body, headers={"Content-Type": content_type})

    said = register()

    assert (said.status, said.out) == (1, "")
    assert "_unusable" in said.err
    assert "may have registered a client nevertheless" in said.err
    assert SECRET not in said.err


@pytest.mark.covers("R08", "R09")
@pytest.mark.parametrize(
    "endpoint", ["https://evil.example/oauth/register", "http://evil.example/", "file:///etc/x", 7]
)
def test_no_other_host_gets_the_registration(register: Register, cobot: StandIn, endpoint: Any) -> None:
    cobot.alter("metadata", {"registration_endpoint": endpoint})

    said = register()

    assert (said.status, said.out) == (1, "")
    assert "endpoint_forbidden" in said.err
    assert cobot.asked("/oauth/register") == 0


@pytest.mark.parametrize(("status", "code"), [(500, "provider_failing"), (302, "_unusable"), (200, "_unusable")])
def test_a_registration_is_never_sent_twice(register: Register, cobot: StandIn, status: int, code: str) -> None:
    cobot.reply("registration", status=status, headers={"Location": f"{cobot.issuer}/oauth/register"})

    said = register()

    assert (said.status, said.out) == (1, "")
    assert code in said.err
    assert "may have registered a client nevertheless" in said.err
    assert cobot.asked("/oauth/register") == 1


HOSTILE_VALUES = [
    "${FLASK_SECRET_KEY}",
    "$FLASK_SECRET_KEY",
    "$(touch /tmp/pwned)",
    "`id`",
    "a' b",
    'a" b',
    "a\\",
    "'\\''",
    "a #b",
    "#",
    "a;b",
    "~",
    "12345",
    "1e5",
    "true",
    "null",
    "NaN",
    '"text"',
    "{}",
    "two words",
    "plain-._~+/=",
]


@pytest.mark.covers("A09")
@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_every_reader_of_the_lines_reads_the_value_that_was_sent(
    register: Register, cobot: StandIn, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", SECRET_KEY)
    cobot.alter("registration", {"client_id": value, "client_secret": value + "x" * 8})

    lines = register().out

    for read in (as_dotenv_reads, as_a_shell_reads, as_a_real_shell_reads):
        settings = as_flask_reads(read(lines))
        assert settings["COBOT_OIDC_CLIENT_ID"] == value
        assert settings["COBOT_OIDC_CLIENT_SECRET"] == value + "x" * 8


def as_a_real_shell_reads(lines: str) -> dict[str, str]:
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    script = f"set -a\n{lines}\nexec {shlex.quote(sys.executable)} -S -c {shlex.quote(program)}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    return {name: value for name, value in json.loads(done.stdout).items() if name.startswith("FLASK_COBOT")}


def test_ordinary_values_are_printed_as_they_are() -> None:
    assert line("COBOT_OIDC_CLIENT_ID", "0a1b2c") == "FLASK_COBOT_OIDC_CLIENT_ID=0a1b2c"
    assert line("COBOT_OIDC_SCOPES", "openid email") == 'FLASK_COBOT_OIDC_SCOPES="openid email"'


@pytest.mark.covers("A09")
def test_a_client_id_of_brackets_is_printed() -> None:
    assert line("COBOT_OIDC_CLIENT_ID", "[" * 2048)


# ---------------------------------------------------------------------- the command, without any app


def test_flask_finds_the_commands_without_an_app(cobot: StandIn, tmp_path: Path) -> None:
    """With what an installer makes of pyproject.toml, and Flask's own program."""
    installed = tmp_path / "as_built-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: as-built\nVersion: 1\n", encoding="utf-8")
    points = [f"{name} = {place}\n" for name, place in ENTRY_POINTS["flask.commands"].items()]
    (installed / "entry_points.txt").write_text("[flask.commands]\n" + "".join(points), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}

    command = [sys.executable, "-m", "flask", "cobot", "register", "--issuer", cobot.issuer, *NAME]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr
    assert "FLASK_COBOT_OIDC_CLIENT_ID" in as_dotenv_reads(done.stdout)


def test_the_entry_point_is_the_group_of_commands() -> None:
    module, _, name = ENTRY_POINTS["flask.commands"]["cobot"].partition(":")

    assert getattr(importlib.import_module(module), name) is command_group


def test_flask_starts_as_quickly_as_without_the_commands() -> None:
    program = """
import sys
import flask.cli
before = set(sys.modules)
import cobot_oidc.cli
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY)  # noqa: S603

    assert set(done.stdout.split()) <= {"cobot_oidc", "cobot_oidc._lazy", "cobot_oidc.cli"}


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            command_group([command, "--help"], prog_name="flask cobot")
        assert ended.value.code == 0
        assert f"flask cobot {command}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        command_group(["nonsense"], prog_name="flask cobot")
    assert ended.value.code == 2
