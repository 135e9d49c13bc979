"""The first login after ``pip install``: the wheel, the README's ten lines and the stand-in."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import requests

from cobot_oidc.standin.browser import Browser
from tools.package import build

from .empty_environment import environment_with
from .programs import running
from .samples import samples
from .serving import free_port

REPOSITORY = Path(__file__).parents[1]
EVERY_MODULE = """
import importlib, pkgutil, sys
import cobot_oidc
assert "site-packages" in cobot_oidc.__file__, cobot_oidc.__file__
for module in pkgutil.walk_packages(cobot_oidc.__path__, "cobot_oidc."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(module.name, error.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(REPOSITORY, tmp_path_factory.mktemp("dist"), epoch=1_800_000_000).wheel


def environ() -> dict[str, str]:
    """Nothing of the tests' own Python."""
    inherited = {"PATH", "HOME", "LANG", "TMPDIR"}
    return {name: value for name, value in os.environ.items() if name in inherited}


def test_the_first_login_of_somebody_who_installed_the_wheel(wheel: Path, tmp_path: Path) -> None:
    python = str(environment_with(wheel, tmp_path / "venv", extras=["standin"]))
    [ten_lines] = [sample for sample in samples() if sample.place == "README.md, Ten lines"]
    (tmp_path / "app.py").write_text(ten_lines.code, encoding="utf-8")
    port = free_port()
    home = f"http://localhost:{port}/"

    stand_in = [python, "-m", "cobot_oidc.standin", "--port=0", f"--redirect-uri={home}cobot/callback"]
    with running(stand_in, "Ctrl-C", folder=tmp_path, environment=environ()) as said:
        pasted = re.findall(r"^FLASK_\w+=.*$", said, re.MULTILINE)
        (tmp_path / ".env").write_text("\n".join(pasted) + "\n", encoding="utf-8")
        flask_run = [python, "-m", "flask", "run", "--port", str(port)]
        with running(flask_run, "CTRL+C", folder=tmp_path, environment=environ()):
            assert home in said
            browser = requests.Session()
            page = browser.get(home, headers={"Accept": "text/html"}, allow_redirects=False)
            while "cobot.localhost" not in page.headers["Location"]:
                page = browser.get(home.rstrip("/") + page.headers["Location"], allow_redirects=False)
            greeting = browser.get(Browser().sign_in(page.headers["Location"], "ada")).text

    assert greeting == "Hello Ada Lovelace"


def test_without_extras_everything_works_but_what_they_are_for(wheel: Path, tmp_path: Path) -> None:
    python = str(environment_with(wheel, tmp_path / "venv"))

    def said(*arguments: str) -> str:
        done = subprocess.run([python, *arguments], cwd=tmp_path, env=environ(), capture_output=True, text=True)  # noqa: S603
        assert done.returncode == 0, done.stderr
        return done.stdout

    lacking = {line.split()[1] for line in said("-c", EVERY_MODULE).splitlines()}
    assert lacking == {"pytest", "redis"}  # those who use the plugin have the one, and the extra brings the other
    assert "check" in said("-m", "flask", "cobot", "--help")


def test_an_app_without_settings_is_told_of_the_stand_in(wheel: Path, tmp_path: Path) -> None:
    python = str(environment_with(wheel, tmp_path / "venv"))
    program = "from flask import Flask; from cobot_oidc import CobotOIDC; CobotOIDC(Flask('app'))"

    failed = subprocess.run([python, "-c", program], env=environ(), capture_output=True, text=True)  # noqa: S603

    assert "python -m cobot_oidc.standin" in failed.stderr
