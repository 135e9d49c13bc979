"""Every sample in README.md and docs/ runs as it is printed.

A sample that needs more than its language's usual surroundings has a function of its own in ``OWN_WAYS``, under its
page and heading.
"""

import inspect
import io
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import metadata, version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import jwt
import opentelemetry.metrics
import prometheus_client.core
import pytest
import requests
from celery.contrib.testing.worker import start_worker
from cryptography.hazmat.primitives.asymmetric import rsa
from dotenv import dotenv_values
from flask import Blueprint, Flask, render_template_string
from flask.cli import ScriptInfo
from flask_wtf import CSRFProtect
from jinja2 import DictLoader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest
from pygments.lexers.ruby import RubyLexer
from pygments.token import Token
from rq import SimpleWorker

import cobot_oidc.protocol
from cobot_oidc import CobotOIDC, User, current_user, from_host, from_view_arg, login_required
from cobot_oidc.cli import cobot as flask_cobot
from cobot_oidc.standin import StandIn

from .conftest import CALLBACK, CHROMIUM_ARGUMENTS, SECRET_KEY, Browser, Clock, Visitor, needed_program
from .programs import running
from .redis_server import RedisServer
from .samples import PAGES, REPOSITORY, Sample, samples
from .servers import recipes
from .walkthrough import file_of

SAMPLES = samples()
TUTORIAL = REPOSITORY / "docs" / "tutorial"  # which test_tutorial.py follows to the letter
SPACES = ["co-up", "betahaus", "nebenan"]
STANDIN = [sys.executable, "-m", "cobot_oidc.standin", "--port", "0"]
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
EXAMPLES = {  # for what a page leaves open
    "FLASK_SECRET_KEY": SECRET_KEY,
    "FLASK_COBOT_OIDC_CLIENT_ID": "portal",
    "FLASK_COBOT_OIDC_CLIENT_SECRET": "s3cret",
}


@dataclass(frozen=True)
class Surroundings:
    """What a sample is run in: settings that fit a stand-in, and the names that a page may take for granted."""

    cobot: StandIn
    settings: dict[str, Any]
    environment: pytest.MonkeyPatch
    folder: Path

    def app(self, **changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(self.settings, COBOT_OIDC_SPACES=SPACES, **changes)
        return app

    def namespace(self) -> dict[str, Any]:
        app = self.app()
        oidc = CobotOIDC(app, space=from_view_arg("space"))
        app.add_url_rule("/desk", "desk", login_required(hello))
        app.add_url_rule("/<space>/desk", "space_desk", login_required(hello))
        return {"__name__": "portal", "app": app, "oidc": oidc, "cobot": self.cobot}

    def set_environment(self, variables: dict[str, str]) -> None:
        for name, value in variables.items():
            self.environment.setenv(name, value)


def hello(**_: str) -> str:
    return f"Hello {current_user.name}"


Run = Callable[[Sample, Surroundings], object]


@pytest.fixture
def surroundings(
    cobot: StandIn, clock: Clock, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Surroundings:
    clock.now = time.time()  # samples have no clock to set
    return Surroundings(cobot, settings, monkeypatch, tmp_path)


# How the samples of a language run


def run_python(sample: Sample, surroundings: Surroundings) -> None:
    """It runs; if it sets settings, an app for Cobot starts with them."""
    namespace = sample.run(surroundings.namespace())
    settings = {name: filled_in(value) for name, value in namespace.items() if name.startswith("COBOT_OIDC_")}
    if settings:
        app = Flask("portal")
        app.config.update(SECRET_KEY=SECRET_KEY, COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_CLIENT_SECRET="s3cret")
        app.config.update({"COBOT_OIDC_SPACES": lambda space: bool(space)}, **settings)
        CobotOIDC(app)


def filled_in(value: Any) -> Any:
    """A setting with something in place of each ``…``."""
    if isinstance(value, dict):
        return {name: filled_in(member) for name, member in value.items()}
    return "example" if value == "…" else value


def run_dotenv(sample: Sample, surroundings: Surroundings) -> None:
    """An app starts with these lines; ``…`` stands for what everybody has to fill in."""
    values = dotenv_values(stream=io.StringIO(sample.code))
    assert values
    assert all(values.values()), "a line without a value"
    filled_in = {name: EXAMPLES.get(name, "example") if value == "…" else str(value) for name, value in values.items()}
    surroundings.set_environment(EXAMPLES | filled_in)
    app = Flask("portal")
    app.config.from_prefixed_env()
    CobotOIDC(app)


def run_shell(sample: Sample, surroundings: Surroundings) -> None:
    for line in sample.code.splitlines():
        command = shlex.split(line, comments=True)
        known = [(words, run) for words, run in COMMANDS.items() if command[: len(words)] == list(words)]
        assert known, f"{line}: add a way to run it to COMMANDS"
        [(words, run)] = known
        run(command[len(words) :], surroundings)


def pip_install(packages: list[str], _surroundings: Surroundings) -> None:
    """The package is ours, and has the extras; that it can be installed shows in every test."""
    distribution = metadata("cobot-oidc")
    for package in packages:
        name, _, extras = package.rstrip("]").partition("[")
        if name != distribution["Name"]:
            assert version(name), "a package that the tests have not"
            continue
        assert set(extras.split(",")) - {""} <= set(distribution.get_all("Provides-Extra", []))


def make_test(options: list[str], _surroundings: Surroundings) -> None:
    assert options == []
    command = make("test", "TESTS=--version")
    subprocess.run(command, env=own_environment(), cwd=REPOSITORY, check=True)  # noqa: S603 - our own


def make_demo(options: list[str], _surroundings: Surroundings) -> None:
    assert options == []
    said_until(make("demo"), "Ctrl-C", open_the_page)


def in_test_tutorial(_options: list[str], _surroundings: Surroundings) -> None:
    assert "def test_the_ten_lines_of_the_readme(" in (REPOSITORY / "tests" / "test_tutorial.py").read_text()


def run_standin(options: list[str], _surroundings: Surroundings) -> None:
    assert options == []
    said_until(STANDIN, "Ctrl-C", lambda _: None)


def register(options: list[str], surroundings: Surroundings) -> None:
    """At the stand-in; what it prints, and appends to a file, makes an app that starts."""
    assert options[-2:] == [">>", ".env"]
    printed = io.StringIO()
    with redirect_stdout(printed):
        flask_cobot(["register", "--issuer", surroundings.cobot.issuer, *options[:-2]], standalone_mode=False)
    run_dotenv(Sample("", "dotenv", printed.getvalue(), REPOSITORY, 1), surroundings)


def flask_cobot_of_an_app(command: str) -> Callable[[list[str], Surroundings], None]:
    """A command that needs an app runs with one, without a problem."""

    def run(options: list[str], surroundings: Surroundings) -> None:
        options = [option for option in options if option not in ("<", "token.txt")]
        app = surroundings.app(COBOT_OIDC_REDIRECT_URI="http://localhost/cobot/callback")
        CobotOIDC(app)
        if command == "verify":
            surroundings.environment.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(token_of_a_login(surroundings))))
        with redirect_stdout(io.StringIO()) as printed:
            status = flask_cobot([command, *options], obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)
        assert status in (None, 0), printed.getvalue()

    return run


def token_of_a_login(surroundings: Surroundings) -> bytes:
    """The id token that the stand-in sends for a login."""
    tokens: list[str] = []

    def note(token: str) -> str:
        tokens.append(token)
        return token

    surroundings.cobot.alter("id_token", note)
    app = surroundings.app()
    CobotOIDC(app)
    app.add_url_rule("/", "home", login_required(hello))
    Visitor(app, surroundings.cobot).log_in("/")
    return tokens[-1].encode()


COMMANDS: dict[tuple[str, ...], Callable[[list[str], Surroundings], None]] = {
    ("pip", "install"): pip_install,
    ("make", "test"): make_test,
    ("make", "demo"): make_demo,
    ("python", "-m", "cobot_oidc.standin"): run_standin,
    ("flask", "run"): in_test_tutorial,
    ("flask", "cobot", "register"): register,
    **{("flask", "cobot", name): flask_cobot_of_an_app(name) for name in ("check", "discover", "keys", "verify")},
}


def make(*arguments: str) -> list[str]:
    """The Makefile's recipes, in the environment that the tests run in, which is not set up anew meanwhile."""
    environment = sys.prefix
    return ["make", "--no-print-directory", "-o", f"{environment}/installed", f"VENV={environment}", *arguments]


def own_environment() -> dict[str, str]:
    """Without the outer make's words; on any free ports."""
    mine = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return mine | {"PORT": "0", "STANDIN_PORT": "0"}


def said_until(command: list[str], last: str, then: Callable[[str], object]) -> str:
    """What a command says until it says this; ``then`` looks at it while it runs."""
    with running(command, last, folder=REPOSITORY, environment=own_environment()) as said:
        then(said)
    return said


def open_the_page(said: str) -> None:
    [url] = [word for line in said.splitlines() if "Open this one" in line for word in line.split() if "://" in word]
    assert requests.get(url, timeout=60).status_code == 200


LOOK = "docs/how-to/look.md, The look of the extension's pages"
BRAND = ("looks/test_brand.py", "test_the_two_lines_and_the_stylesheet_of_the_page")
IN_A_BROWSER = {  # where a test runs the sample in Chromium
    "docs/how-to/single-page-apps.md, Single-page apps and JSON (2)": (
        "example_app/test_our_own_pages.py",
        "test_a_single_page_app_as_its_page_says",
    ),
    LOOK: BRAND,
    f"{LOOK} (2)": BRAND,
}


def run_in_a_browser(sample: Sample, _surroundings: Surroundings) -> None:
    file, test = IN_A_BROWSER[sample.place]
    assert f"def {test}(" in (REPOSITORY / "tests" / file).read_text(encoding="utf-8")


def run_by_a_server(sample: Sample, _surroundings: Surroundings) -> None:
    """Each section of the page is started and logged in through by tests/servers, as it is printed."""
    heading = re.sub(r" \(\d+\)$", "", sample.place.partition(", ")[2])
    assert heading in (recipes.APP, recipes.NGINX, *recipes.EVERYWHERE)


def run_text(sample: Sample, surroundings: Surroundings) -> None:
    """What ``flask cobot`` prints; ports, seconds and the clock are those of the page."""
    title, _, shown = sample.code.partition("\n")
    command = title.split()[3:]
    assert title.startswith("$ flask cobot "), f"line {sample.line}: the command comes first"
    token = token_of_a_login(surroundings) if command[0] == "verify" else b""
    app = surroundings.app(
        SECRET_KEY="0f8fad5bd9cb469fa165708672895e0c",
        COBOT_OIDC_REDIRECT_URI="https://your-app.example/app/cobot/callback",
    )
    app.config["COBOT_OIDC_SPACES"] = ["co-upp"]
    CobotOIDC(app, clock=lambda: time.time() + (86400 if command[0] == "verify" else 0))
    surroundings.environment.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(token)))
    with redirect_stdout(io.StringIO()) as printed:
        flask_cobot(command, obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)

    def of_any_day(text: str) -> list[str]:
        text = text.replace(f":{surroundings.cobot.port}", ":5001")
        return re.sub(r"seconds [0-9.]+", "seconds N", text).strip().splitlines()

    assert of_any_day(shown) == of_any_day(printed.getvalue())


def behind_nginx(conf: Sample) -> dict[str, str]:
    """The headers that a request has after it has passed nginx."""
    variables = {"$remote_addr": "192.0.2.1", "$scheme": "https", "$http_host": "your-app.example"}
    assert "proxy_pass http://127.0.0.1:8000/;" in conf.code
    headers = re.findall(r"proxy_set_header (\S+) (\S+);", conf.code)
    return {name: variables.get(value, value) for name, value in headers}


def run_nginx(sample: Sample, _surroundings: Surroundings) -> None:
    """``proxy_fix`` sends what it says; every line is a directive, and every brace is closed."""
    lines = [line.partition("#")[0].strip() for line in sample.code.splitlines()]
    assert all(line.endswith((";", "{", "}")) for line in lines)
    assert sample.code.count("{") == sample.code.count("}")
    assert behind_nginx(sample)["X-Forwarded-Prefix"] == "/portal"


def run_ruby(sample: Sample, _surroundings: Surroundings) -> None:
    """No Ruby is at hand: its words are Ruby's."""
    assert Token.Error not in [kind for kind, _ in RubyLexer().get_tokens(sample.code)]


LANGUAGES: dict[str, Run] = {
    "text": run_text,
    "python": run_python,
    "dotenv": run_dotenv,
    "shell": run_shell,
    "ini": run_by_a_server,
    "apache": run_by_a_server,
    "js": run_in_a_browser,
    "jinja": run_in_a_browser,
    "css": run_in_a_browser,
    "nginx": run_nginx,
    "ruby": run_ruby,
}


# Samples that promise more than that they run


def ten_lines(sample: Sample, surroundings: Surroundings) -> None:
    surroundings.set_environment(
        {f"FLASK_{name}": value for name, value in surroundings.settings.items() if isinstance(value, str)}
    )
    module = sample.run({"__name__": "portal"})
    module["app"].testing = True

    page = Visitor(module["app"], surroundings.cobot).log_in("/")

    assert page.text == "Hello Ada Lovelace"


def spaces(sample: Sample, surroundings: Surroundings) -> None:
    app = surroundings.app()
    app.jinja_loader = DictLoader({"desk.html": "{{ member.name }} at {{ space }}"})
    sample.run({"__name__": "portal", "app": app})
    visitor = Visitor(app, surroundings.cobot)

    assert visitor.log_in("/co-up/desk").text == "Ada Lovelace at co-up"
    assert visitor.get("/betahaus/desk", headers=NAVIGATION).status_code == 302


def links_and_buttons(sample: Sample, surroundings: Surroundings) -> None:
    app = surroundings.app()
    CobotOIDC(app)
    app.add_url_rule("/", "home", lambda: render_template_string(sample.code))
    visitor = Visitor(app, surroundings.cobot)
    login = re.search(r'<a href="(.+)">Log in</a>', visitor.get("/").text)

    assert login is not None
    assert '<form method="post" action="/cobot/logout">' in visitor.log_in(login[1]).text


def form_under_csrf_protect(sample: Sample, surroundings: Surroundings) -> None:
    app = surroundings.app()
    CobotOIDC(app)
    CSRFProtect(app)
    app.add_url_rule("/form", "form", lambda: render_template_string(sample.code))
    app.add_url_rule("/desk", "desk", login_required(hello))
    visitor = Visitor(app, surroundings.cobot)
    visitor.log_in("/desk")
    form = visitor.get("/form").text
    values = dict(re.findall(r'name="(csrf_token)" value="([^"]+)"', form))
    headers = {"Origin": "http://localhost"}

    assert 'action="/cobot/logout"' in form
    assert visitor.browser.post("/cobot/logout", headers=headers).status_code == 400
    assert visitor.browser.post("/cobot/logout", data=values, headers=headers).status_code == 303


def factory(sample: Sample, surroundings: Surroundings) -> None:
    create_app = sample.run({"__name__": "portal"})["create_app"]
    app = create_app({**surroundings.settings, "COBOT_OIDC_SPACES": SPACES})

    assert Visitor(app, surroundings.cobot).log_in("/co-up/desk").text == "Ada Lovelace at co-up"


def guarded_blueprint(sample: Sample, surroundings: Surroundings) -> None:
    app = surroundings.app()
    admin = sample.run({"__name__": "portal", "Blueprint": Blueprint})["admin"]
    admin.add_url_rule("/", "home", hello)
    CobotOIDC(app)
    app.register_blueprint(admin)
    app.add_url_rule("/desk", "desk", login_required(hello))
    visitor = Visitor(app, surroundings.cobot)

    assert visitor.get("/admin/", headers=NAVIGATION).status_code == 401
    visitor.log_in("/desk")
    assert visitor.get("/admin/").text == "Hello Ada Lovelace"


def proxy_fix(sample: Sample, surroundings: Surroundings) -> None:
    """Behind the page's nginx, the login goes to the prefix's callback and comes back below the prefix."""
    [conf] = [each for each in SAMPLES if each.page == sample.page and each.language == "nginx"]
    [dotenv] = [each for each in SAMPLES if each.page == sample.page and each.language == "dotenv"]
    run_dotenv(dotenv, surroundings)
    redirect_uri = str(dotenv_values(stream=io.StringIO(dotenv.code))["FLASK_COBOT_OIDC_REDIRECT_URI"])
    surroundings.cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=redirect_uri)
    app = surroundings.app(COBOT_OIDC_REDIRECT_URI=redirect_uri, TRUSTED_HOSTS=["your-app.example"])
    sample.run({"app": app})
    CobotOIDC(app)
    app.add_url_rule("/desk", "desk", login_required(hello))
    visitor = Visitor(app, surroundings.cobot)

    to_login = visitor.get("/desk", headers={**behind_nginx(conf), **NAVIGATION})
    assert to_login.location == "/portal/cobot/login?next=/portal/desk"
    to_cobot = visitor.get(to_login.location.removeprefix("/portal"), headers={**behind_nginx(conf), **NAVIGATION})
    answer = visitor.answer(to_cobot.location)
    assert answer.startswith(redirect_uri)
    inside = answer.replace("https://your-app.example/portal", "http://localhost")
    back = visitor.get(inside, headers=behind_nginx(conf))
    assert back.location == "/portal/desk"
    assert "Secure" in back.headers["Set-Cookie"]


def new_secret_key(sample: Sample, surroundings: Surroundings) -> None:
    """Who was logged in under the old key stays logged in, until nothing of the old key is left."""

    def portal(**keys: Any) -> Flask:
        app = surroundings.app(**keys)
        CobotOIDC(app)
        app.add_url_rule("/desk", "desk", login_required(hello))
        return app

    visitor = Visitor(portal(SECRET_KEY="o" * 32), surroundings.cobot)
    visitor.log_in("/desk")
    rotated = Flask("rotated")
    sample.run({"app": rotated, "old_key": "o" * 32, "new_key": "n" * 32})
    keys = {name: rotated.config[name] for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS")}

    visitor.browser.application = portal(**keys)
    assert visitor.get("/desk").text == "Hello Ada Lovelace"
    visitor.browser.application = portal(SECRET_KEY="n" * 32)
    assert visitor.get("/desk").status_code == 302


def sample_is_read(sample: Sample, _surroundings: Surroundings) -> None:
    """Code that does not run here, as another library is missing: Python reads it."""
    compile(sample.code, sample.page, "exec")


def after_authlib(sample: Sample, surroundings: Surroundings) -> None:
    assert migrated(sample, surroundings, "auth").log_in("/").text == "Hello Ada Lovelace"


def after_flask_oidc(sample: Sample, surroundings: Surroundings) -> None:
    assert migrated(sample, surroundings).log_in("/").text == "Hello Ada Lovelace, ada@example.org"


def after_flask_pyoidc(sample: Sample, surroundings: Surroundings) -> None:
    claims: Any = migrated(sample, surroundings, "auth").log_in("/me").json
    assert claims["name"] == "Ada Lovelace"


def after_omniauth(sample: Sample, surroundings: Surroundings) -> None:
    page = migrated(sample, surroundings).log_in("/").text
    assert page == f"Hello {surroundings.cobot.people['ada'].subject}"


def migrated(sample: Sample, surroundings: Surroundings, prefix: str = "cobot") -> Visitor:
    """Somebody in front of the app of a page's ``After``."""
    callback = f"http://localhost/{prefix}/callback"
    surroundings.cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=callback)
    surroundings.set_environment(
        {f"FLASK_{name}": value for name, value in surroundings.settings.items() if isinstance(value, str)}
    )
    app = sample.run({"__name__": "portal"})["app"]
    app.testing = True
    return Visitor(app, surroundings.cobot)


def spaces_in_host_names(sample: Sample, surroundings: Surroundings) -> None:
    config = {name: value for name, value in sample.run({}).items() if name.isupper()}
    surroundings.cobot.register_client(
        "portal",
        secret="s3cret-of-the-portal",
        redirect_uri=config["COBOT_OIDC_REDIRECT_URI"],
    )
    app = surroundings.app(**config)
    CobotOIDC(app, space=from_host("portal.example"))
    app.add_url_rule("/desk", "desk", login_required(hello))
    browser = Browser(app, app.response_class, use_cookies=True)

    url = there = "https://co-up.portal.example/desk"
    while "cobot.localhost" not in url:
        response = browser.get(url, headers=NAVIGATION)
        assert response.status_code == 302, response.text
        url = urljoin(url, response.location)
    answer = surroundings.cobot.sign_in(url)
    assert answer.startswith("https://portal.example/cobot/callback?")
    assert browser.get(answer).location == there
    assert browser.get(there).text == "Hello Ada Lovelace"


def prometheus(sample: Sample, surroundings: Surroundings) -> None:
    registry = CollectorRegistry(auto_describe=True)
    surroundings.environment.setattr(prometheus_client.core, "REGISTRY", registry)
    namespace = sample.run(surroundings.namespace())

    Visitor(namespace["app"], surroundings.cobot).log_in("/desk")

    assert 'cobot_oidc_events_total{code="",event="logged_in"} 1.0' in generate_latest(registry).decode()


def opentelemetry_counter(sample: Sample, surroundings: Surroundings) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    surroundings.environment.setattr(opentelemetry.metrics, "get_meter", provider.get_meter)
    namespace = sample.run(surroundings.namespace())

    Visitor(namespace["app"], surroundings.cobot).log_in("/desk")

    data = reader.get_metrics_data()
    assert data is not None
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    counted = {str((point.attributes or {})["event"]): point.value for point in metric.data.data_points}  # type: ignore[union-attr]
    assert metric.name == "cobot_oidc.events"
    assert counted["logged_in"] == 1
    provider.shutdown()


def verification(sample: Sample, _surroundings: Surroundings) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    member = jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key(), as_dict=True)
    claims = {"iss": "https://www.cobot.me", "aud": "portal", "sub": "ada", "nonce": "n"}
    now = int(time.time())
    token = jwt.encode({**claims, "iat": now, "exp": now + 60}, key, algorithm="RS256", headers={"kid": "key-1"})
    key_set = {"keys": [{**member, "kid": "key-1", "use": "sig", "alg": "RS256"}]}
    received = {"key_set_bytes": json.dumps(key_set).encode(), "token": token, "nonce": "n", "access_token": None}

    verified = sample.run(received)["claims"]

    assert isinstance(verified, cobot_oidc.protocol.Claims)
    assert verified.subject == "ada"


def standin_settings(sample: Sample, surroundings: Surroundings) -> None:
    run_dotenv(sample, surroundings)
    said = said_until(STANDIN, "Ctrl-C", lambda _: None)
    printed = [line.partition("=")[0] for line in said.splitlines() if line.startswith("FLASK_")]
    assert [line.partition("=")[0] for line in sample.code.splitlines()] == printed


def test_of_a_user(sample: Sample, surroundings: Surroundings) -> None:
    portal = ModuleType("portal")

    def create_app(**config: Any) -> Flask:
        app = Flask("portal")
        app.config.update(config)
        CobotOIDC(app)
        app.add_url_rule("/", "home", login_required(hello))
        return app

    portal.create_app = create_app  # type: ignore[attr-defined]
    surroundings.environment.setitem(sys.modules, "portal", portal)
    module = sample.run({"__name__": "test_portal"})
    tests: list[Any] = [value for name, value in module.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


test_of_a_user.__test__ = False  # type: ignore[attr-defined]


def of_the_api(sample: Sample, surroundings: Surroundings) -> None:
    """Each sample goes on where the ones before it on the page stopped, in an app that keeps tokens."""
    api_page(sample, surroundings)


def api_page(sample: Sample, surroundings: Surroundings, **changes: Any) -> dict[str, Any]:
    app = surroundings.app(COBOT_OIDC_MEMBERSHIP=True, COBOT_OIDC_KEEP_TOKEN=True, **changes)
    app.config["COBOT_OIDC_SCOPES"] = "openid email profile read_bookings read_resources read_user"
    namespace = {"__name__": "portal", "app": app, "oidc": CobotOIDC(app, space=from_view_arg("space"))}
    for each in SAMPLES[: SAMPLES.index(sample) + 1]:
        if each.page == sample.page and "import Redis" not in each.code and "import Celery" not in each.code:
            each.run(namespace)
            app.config.update(changes)  # the page's own Redis is on nobody's machine
    return namespace


def membership(sample: Sample, surroundings: Surroundings) -> None:
    app = api_page(sample, surroundings)["app"]

    assert Visitor(app, surroundings.cobot).log_in("/co-up/workplace", "ada").text == "Membership m-ada"
    assert Visitor(app, surroundings.cobot).log_in("/co-up/office", "alex").text == "Welcome"
    assert Visitor(app, surroundings.cobot).log_in("/betahaus/workplace", "ada").status_code == 403


def calls(sample: Sample, surroundings: Surroundings) -> None:
    app = api_page(sample, surroundings)["app"]
    ada = Visitor(app, surroundings.cobot)

    assert len(ada.log_in("/co-up/agenda").json) > 1  # type: ignore[arg-type] # a list
    assert len(ada.get("/co-up/plans").json) == 3  # type: ignore[arg-type] # a list


def scope_of_a_view(sample: Sample, surroundings: Surroundings) -> None:
    app = api_page(sample, surroundings)["app"]
    alex = Visitor(app, surroundings.cobot)
    alex.log_in("/co-up/office", "alex")

    assert "Ada Lovelace" in alex.log_in("/co-up/people").json  # type: ignore[operator] # a list


def tokens_that_expire(sample: Sample, surroundings: Surroundings) -> None:
    cobot, app = surroundings.cobot, surroundings.app()
    sample.run({"app": app})
    del app.config["COBOT_OIDC_REDIS_URL"]  # the page's own is on nobody's machine
    scopes = " ".join(app.config["COBOT_OIDC_SCOPES"])
    cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=CALLBACK, scopes=scopes)
    cobot.offer_refresh_tokens(lifetime=10)  # which is too short for any call
    oidc = CobotOIDC(app)

    @app.get("/")
    @login_required
    def home() -> str:
        return repr(oidc.api)

    assert Visitor(app, cobot).log_in("/").status_code == 200
    assert cobot.asked("/oauth/access_token") == 2


def logout_at_the_provider(sample: Sample, surroundings: Surroundings) -> None:
    run_dotenv(sample, surroundings)
    values = dotenv_values(stream=io.StringIO(sample.code))
    assert set(values) == {"FLASK_COBOT_OIDC_LOGOUT_AT_PROVIDER", "FLASK_COBOT_OIDC_AFTER_LOGOUT"}
    app = surroundings.app(COBOT_OIDC_LOGOUT_AT_PROVIDER=True, COBOT_OIDC_AFTER_LOGOUT="/bye")
    CobotOIDC(app)
    surroundings.cobot.offer_logout()
    app.add_url_rule("/", "home", login_required(hello))
    ada = Visitor(app, surroundings.cobot)
    ada.log_in("/")

    assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fbye&id_token_hint=" in ada.log_out().location


def refused_call(sample: Sample, surroundings: Surroundings) -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        api_page(sample, surroundings)

    assert said.getvalue().startswith("token_refused 401 ")


@pytest.fixture
def jobs(surroundings: Surroundings, redis: RedisServer) -> dict[str, Any]:
    """The names of the page about the API, with a space's token in Redis."""
    last = next(sample for sample in SAMPLES if "def count_bookings" in sample.code)
    names = api_page(last, surroundings, COBOT_OIDC_REDIS_URL=redis.url)
    alex = Visitor(names["app"], surroundings.cobot)
    alex.log_in("/co-up/office", "alex")
    assert alex.browser.post("/co-up/automation").status_code == 302
    return names


def test_a_job_of_rq_runs_as_it_is_printed(jobs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    [sample] = [sample for sample in SAMPLES if "from rq import" in sample.code]
    monkeypatch.setitem(sys.modules, "portal", SimpleNamespace(**jobs))  # where RQ imports the function from
    names = sample.run(jobs)
    SimpleWorker([names["queue"]], connection=names["queue"].connection).work(burst=True, logging_level="ERROR")

    assert names["job"].latest_result().return_value == 15


@pytest.mark.filterwarnings("ignore")  # Celery's worker warns about itself
def test_a_task_of_celery_runs_as_it_is_printed(jobs: dict[str, Any]) -> None:
    [sample] = [sample for sample in SAMPLES if "import Celery" in sample.code]
    names = sample.run(jobs)
    with start_worker(names["celery"], perform_ping_check=False, pool="solo", loglevel="ERROR"):
        assert names["result"].get(timeout=60) == 15


def an_app_s_own_tests(sample: Sample, surroundings: Surroundings) -> None:
    """The sample's tests pass, with an app as the page takes it for granted."""
    names: dict[str, Any] = {"__name__": "test_portal"}
    sample.run(names)
    app, cobot = surroundings.namespace()["app"], surroundings.cobot
    for name, test in names.items():
        if name.startswith("test_"):
            cobot.reset()
            cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=CALLBACK)
            given = {"app": app, "cobot": cobot}
            test(**{each: given[each] for each in inspect.signature(test).parameters})


def in_the_tutorial_s_project(sample: Sample, surroundings: Surroundings) -> None:
    """The sample passes in a folder that has the tutorial's app as it is at the end, and nothing else."""
    for part in ("spaces", "members"):
        for each in SAMPLES:
            if each.page == REPOSITORY / "docs" / "tutorial" / f"{part}.md" and each.language in ("python", "jinja"):
                path = surroundings.folder / file_of(each)
                path.parent.mkdir(exist_ok=True)
                path.write_text(each.code, encoding="utf-8")
    (surroundings.folder / "test_portal.py").write_text(sample.code, encoding="utf-8")
    said = pytest_in(surroundings.folder)
    assert "2 passed" in said, said


def pytest_in(folder: Path) -> str:
    """What pytest says about a project of its own."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    return run.stdout + run.stderr


AROUND_A_BROWSER_TEST = f"""
import pytest
from flask import Flask
from playwright.sync_api import sync_playwright

from cobot_oidc import CobotOIDC, current_user, login_required


@pytest.fixture
def app(cobot):
    app = Flask("portal")
    app.config.update(TESTING=True, SECRET_KEY="k" * 32, COBOT_OIDC_ISSUER=cobot.issuer,
                      COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_CLIENT_SECRET="s3cret")
    CobotOIDC(app)
    app.add_url_rule("/desk", "desk", login_required(lambda: f"<h1>Hello {{current_user.name}}</h1>"))
    return app


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args={CHROMIUM_ARGUMENTS})
        yield browser.new_page()
        browser.close()
"""


def in_a_project_with_a_browser(sample: Sample, surroundings: Surroundings) -> None:
    """In a project of its own, with an app and, in place of pytest-playwright, a page in the tests' own Chromium."""
    chromium = needed_program("Chromium", "COBOT_OIDC_TEST_BROWSER")
    around = AROUND_A_BROWSER_TEST.replace("CHROMIUM", repr(chromium))
    (surroundings.folder / "conftest.py").write_text(around, encoding="utf-8")
    (surroundings.folder / "test_portal.py").write_text(sample.code, encoding="utf-8")
    said = pytest_in(surroundings.folder)
    assert "2 passed" in said, said


def run_beside(sample: Sample, _surroundings: Surroundings) -> None:
    """A test of ``tests/beside`` runs the whole page as one app; it takes these languages."""
    assert sample.language in ("python", "jinja")


BESIDE = {
    f"docs/how-to/{name}.md"
    for test in (REPOSITORY / "tests" / "beside").glob("test_*.py")
    for name in re.findall(r'run_page\("([\w-]+)"', test.read_text(encoding="utf-8"))
}


def typed_code(sample: Sample, surroundings: Surroundings) -> None:
    surroundings.settings["COBOT_OIDC_MEMBERSHIP"] = True
    names = surroundings.namespace()
    sample.run(names)
    if "badge" in names:
        ada = Visitor(names["app"], surroundings.cobot)
        assert ada.log_in("/profile").text == surroundings.cobot.people["ada"].subject
        assert ada.log_in("/co-up/badge").text == "m-ada at co-up"
    else:
        user = User("https://www.cobot.me", "ada", None, {"name": "Ada", "locale": "en", "company": "Engines"}, 0)
        assert names["greeting"](user) == "Ada, en"
        assert names["company"](user) == "Engines"


def second_factor(sample: Sample, surroundings: Surroundings) -> None:
    """Both samples in one app: who is logged in without the second factor is sent to log in with it."""
    [asked] = [each for each in SAMPLES if each.place == "docs/authorization-request.md, What the app asks for"]
    app = surroundings.app()
    sample.run({"__name__": "portal", "app": app})
    oidc = CobotOIDC(app)
    app.add_url_rule("/", "home", login_required(hello))
    asked.run({"__name__": "portal", "oidc": oidc})
    visitor = Visitor(app, surroundings.cobot)
    visitor.log_in("/")
    assert surroundings.cobot.authorization_requests[-1]["ui_locales"] == ["de"]

    to_login = visitor.get("/invoices").location
    answer = visitor.answer(visitor.get(to_login).location)

    assert visitor.get(visitor.get(answer).location).text == "The invoices of Ada Lovelace"
    assert "urn:example:mfa" in surroundings.cobot.authorization_requests[-1]["claims"][0]


def private_key(sample: Sample, surroundings: Surroundings) -> None:
    """What the sample before prints is the file, and what the command prints after it is registered."""
    [make_key] = [each for each in SAMPLES if each.place == "docs/client-authentication.md, A private key"]
    with redirect_stdout(io.StringIO()) as printed:
        make_key.run({})
    surroundings.environment.setattr(
        "pathlib.Path.read_text", lambda path: {"client-key.pem": printed.getvalue()}[str(path)]
    )
    key = sample.run({})["COBOT_OIDC_CLIENT_KEY"]
    surroundings.environment.undo()
    app = surroundings.app(COBOT_OIDC_CLIENT_SECRET=None, COBOT_OIDC_CLIENT_KEY=key)
    CobotOIDC(app)
    app.add_url_rule("/", "home", login_required(hello))
    with redirect_stdout(io.StringIO()) as public:
        flask_cobot(["keys", "--client"], obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)
    surroundings.cobot.register_client(
        "portal", secret=None, redirect_uri=CALLBACK, public_keys=json.loads(public.getvalue())
    )

    assert Visitor(app, surroundings.cobot).log_in("/").text == "Hello Ada Lovelace"


def keys_of_the_client(sample: Sample, _surroundings: Surroundings) -> None:
    """It runs where the sample before it does."""
    assert sample.code == "flask cobot keys --client\n"


OWN_WAYS: dict[str, Run] = {
    "docs/how-to/typed-code.md, Typed code": typed_code,
    "docs/how-to/typed-code.md, Claims by name": typed_code,
    **{sample.place: run_beside for sample in SAMPLES if sample.place.partition(",")[0] in BESIDE},
    "docs/authorization-request.md, What is verified": second_factor,
    "docs/client-authentication.md, A private key (2)": private_key,
    "docs/client-authentication.md, A private key (3)": keys_of_the_client,
    **{sample.place: run_by_a_server for sample in SAMPLES if sample.page == recipes.PAGE},
    "docs/testing.md, Somebody who is logged in": an_app_s_own_tests,
    "docs/testing.md, A whole login": in_the_tutorial_s_project,
    "docs/testing.md, In a real browser": in_a_project_with_a_browser,
    **{sample.place: of_the_api for sample in SAMPLES if sample.place.startswith("docs/api.md")},
    "docs/api.md, Who is a member (2)": membership,
    "docs/api.md, Calls": calls,
    "docs/api.md, Tokens that expire": tokens_that_expire,
    "docs/api.md, Scopes": scope_of_a_view,
    "docs/api.md, Limits and failures": refused_call,
    "docs/logout.md, At the provider too": logout_at_the_provider,
    "README.md, Ten lines": ten_lines,
    "docs/spaces.md, One app for many spaces": spaces,
    "docs/how-to/links.md, Links to log in, and buttons to log out": links_and_buttons,
    "docs/how-to/csrf.md, Protect forms from other sites (CSRF) (2)": form_under_csrf_protect,
    "docs/how-to/app-factory.md, App factory and blueprints": factory,
    "docs/how-to/app-factory.md, App factory and blueprints (2)": guarded_blueprint,
    "docs/how-to/proxies.md, Behind a proxy, and below a prefix": proxy_fix,
    "docs/how-to/key-rotation.md, The app's secret key": new_secret_key,
    "docs/how-to/migrating.md, From Authlib's Flask client": sample_is_read,
    "docs/how-to/migrating.md, From Authlib's Flask client (2)": after_authlib,
    "docs/how-to/migrating.md, From flask-oidc": sample_is_read,
    "docs/how-to/migrating.md, From flask-oidc (2)": after_flask_oidc,
    "docs/how-to/migrating.md, From Flask-pyoidc": sample_is_read,
    "docs/how-to/migrating.md, From Flask-pyoidc (2)": after_flask_pyoidc,
    "docs/how-to/migrating.md, From omniauth_cobot (2)": after_omniauth,
    "docs/spaces.md, Spaces in host names": spaces_in_host_names,
    "docs/provider.md, What you can see": prometheus,
    "docs/provider.md, What you can see (2)": opentelemetry_counter,
    "docs/protocol.md, The rules without Flask: `cobot_oidc.protocol`": verification,
    "docs/standin.md, The stand-in Cobot (2)": standin_settings,
    "docs/standin.md, In your tests": test_of_a_user,
}


@pytest.mark.parametrize(
    "sample", [each for each in SAMPLES if each.page.parent != TUTORIAL], ids=lambda sample: sample.place
)
def test_every_sample_runs_as_it_is_printed(sample: Sample, surroundings: Surroundings) -> None:
    assert sample.language in LANGUAGES, f"line {sample.line - 1}: name the language, one of {', '.join(LANGUAGES)}"
    OWN_WAYS.get(sample.place, LANGUAGES[sample.language])(sample, surroundings)


def test_every_block_is_found() -> None:
    for page in PAGES:
        fences = [
            line for line in page.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith(("```", "~~~"))
        ]
        assert len(fences) == 2 * len([sample for sample in SAMPLES if sample.page == page]), page.name


def test_every_way_of_running_has_its_sample() -> None:
    assert set(OWN_WAYS) <= {sample.place for sample in SAMPLES}
