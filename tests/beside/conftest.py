"""Runs the samples of a page in docs/how-to as the one app that they are, in front of the stand-in."""

import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

from ..conftest import Clock
from ..samples import REPOSITORY, samples

RunPage = Callable[..., Any]  # the names of a module that has no types
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}

_NAME_OF_TEMPLATE = re.compile(r"\{# templates/(\S+) #\}\n")


@pytest.fixture
def run_page(settings: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> RunPage:
    """Runs a page's Python, one sample after another, as one module, and returns its names.

    The settings are in the environment, as the page says. A template begins with its name: ``{# templates/a.html #}``.
    """
    clock.now = time.time()  # an app in a sample has no clock to set

    def run(name: str, first: int | None = None, **changes: object) -> Any:
        """:param first: how many of the Python samples; ``None`` for all. :param changes: settings that are others."""
        for key, value in (settings | {"COBOT_OIDC_SPACES": "co-up betahaus"} | changes).items():
            monkeypatch.setenv(f"FLASK_{key}", str(value).lower() if isinstance(value, bool) else str(value))
        page = REPOSITORY / "docs" / "how-to" / f"{name}.md"
        names: dict[str, Any] = {"__name__": "portal"}
        templates: dict[str, str] = {}
        of_the_page = [sample for sample in samples() if sample.page == page]
        for sample in [sample for sample in of_the_page if sample.language == "python"][:first]:
            sample.run(names)
        for sample in of_the_page:
            if sample.language != "python":
                named = _NAME_OF_TEMPLATE.match(sample.code)
                assert named is not None, f"line {sample.line}: begin with {{# templates/… #}}"
                templates[named[1]] = sample.code[named.end() :]
        app: Flask = names["app"]
        app.jinja_loader = ChoiceLoader([DictLoader(templates), *([app.jinja_loader] if app.jinja_loader else [])])
        return SimpleNamespace(**names)

    return run
