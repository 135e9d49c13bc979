"""A provider that runs, the app in front of it, and somebody with a browser; and the table of what came out."""

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import chromium, playwright
from tests.serving import listening

from .environments import NotInstallableError, installed
from .portal import Portal
from .process import RunningProvider, running
from .providers import PROVIDERS
from .table import Table
from .visitor import Visitor

__all__ = ["chromium", "playwright"]  # fixtures


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--providers`` and ``--page``."""
    parser.addoption("--providers", default="", help="the providers to try, all without this")
    parser.addoption("--page", default="", help="the page that shows the table, to be brought up to date")


def pytest_configure(config: pytest.Config) -> None:
    """Whoever ends this run ends the providers too: a SIGTERM unwinds it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.pluginmanager.register(Table(config.getoption("page")), "interop-table")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each check at each provider, one provider after the other."""
    if "provider" in metafunc.fixturenames:
        names = metafunc.config.getoption("providers").split() or list(PROVIDERS)
        unknown = set(names) - set(PROVIDERS)
        if unknown:
            raise pytest.UsageError(f"{', '.join(sorted(unknown))}: the providers are {', '.join(PROVIDERS)}")
        metafunc.parametrize("provider", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """The app's address, where every configuration is tried."""
    with listening() as listener:
        yield Portal(listener)


@pytest.fixture(scope="session")
def provider(
    request: pytest.FixtureRequest, portal: Portal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProvider]:
    """The provider, installed and running."""
    chosen = PROVIDERS[request.param]
    try:
        environment = installed(chosen)
    except NotInstallableError as error:
        pytest.skip(f"not here: {error}")
    with running(chosen, environment, portal.address, tmp_path_factory.mktemp(chosen.name)) as one:
        yield one


@pytest.fixture
def visitor(provider: RunningProvider, portal: Portal, chromium: Browser) -> Iterator[Visitor]:
    """Somebody in front of the app, whom neither the app nor the provider has seen before."""
    portal.forget()
    with portal.watched(), chromium.new_context() as context:
        # Pages of providers may want fonts and styles that no test machine reaches.
        context.route("https://**", lambda route: route.abort())
        yield Visitor(context.new_page(), portal, provider)
