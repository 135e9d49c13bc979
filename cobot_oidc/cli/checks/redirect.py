"""The redirect URI: what has to be registered, whether the app is really there, and what a proxy has to do for it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from werkzeug.sansio.utils import host_is_trusted

from ...protocol.urls import is_loopback
from ..findings import Finding, ok, problem, warning

SUBJECT = "redirect URI"
PROXY = "proxy"

_PROXY_FIX = "app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)"
_PREFIX_REMEDY = (
    "If a proxy adds {prefix}, let it send X-Forwarded-Prefix, and wrap the app in ProxyFix(app.wsgi_app, x_proto=1, "
    "x_prefix=1); or start the WSGI server with SCRIPT_NAME={prefix}. Otherwise remove {prefix} from "
    "COBOT_OIDC_REDIRECT_URI, and register the URI without it."
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How the app is reached, as far as it says so.

    :ivar proxy_fix: what ``ProxyFix`` trusts, by header; ``None`` if the app is not wrapped in it.
    :ivar script_name: the path that the WSGI server was told that the app is mounted at.
    """

    proxy_fix: Mapping[str, int] | None
    script_name: str


def redirect_findings(
    redirect_uri: str | None,
    url_prefix: str,
    config: Mapping[str, Any],
    surroundings: Surroundings,
    own_callbacks: Iterable[str],
) -> Iterator[Finding]:
    """Everything about the redirect URI.

    :param own_callbacks: the spaces whose issuers answer at a callback of their own.
    """
    callback = f"{url_prefix}/callback"
    if redirect_uri is None:
        yield from _built(callback, config, surroundings)
        return
    yield ok(
        SUBJECT,
        "redirect_uri",
        f"Register exactly this redirect URI at the provider, which compares every character: {redirect_uri}",
    )
    for space in own_callbacks:
        found = f"Register this one at the issuer of the space {space}, which has a client of its own: "
        yield ok(SUBJECT, "redirect_uri_of_space", f"{found}{redirect_uri}/{space}")
    yield from _host(redirect_uri, config)
    yield from _prefix(redirect_uri, callback, config, surroundings)
    yield from _proxy(redirect_uri, config, surroundings)


def mount_of(redirect_uri: str, url_prefix: str) -> str:
    """The path that the browser has before the app's own; empty if the app is at the root of its host."""
    return urlsplit(redirect_uri).path.removesuffix(f"{url_prefix}/callback")


def _built(callback: str, config: Mapping[str, Any], surroundings: Surroundings) -> Iterator[Finding]:
    """It is built from each request, so that it depends on which host the request was for."""
    server_name, trusted = config.get("SERVER_NAME"), config.get("TRUSTED_HOSTS")
    if not server_name and not trusted:
        yield warning(
            SUBJECT,
            "redirect_uri_unset",
            "COBOT_OIDC_REDIRECT_URI is not set, so people can log in on localhost only. There, register "
            f"http://localhost:5000{callback}, with the port that you use.",
            f"Elsewhere, set COBOT_OIDC_REDIRECT_URI=https://your-app.example{callback} and register exactly that.",
        )
        return
    yield warning(
        SUBJECT,
        "redirect_uri_unset",
        "COBOT_OIDC_REDIRECT_URI is not set, so it is built from each request; Cobot only accepts the registered one.",
        f"Set COBOT_OIDC_REDIRECT_URI=https://{server_name or 'your-app.example'}{callback} and register exactly that.",
    )
    if surroundings.proxy_fix is None or not surroundings.proxy_fix.get("x_proto"):
        yield warning(
            PROXY,
            "http_behind_proxy",
            "Nothing tells the app that browsers use https: behind a proxy that ends TLS, every login fails "
            "(https_required).",
            f"Set COBOT_OIDC_REDIRECT_URI to the https URL, or wrap the app: {_PROXY_FIX}.",
        )


def _host(redirect_uri: str, config: Mapping[str, Any]) -> Iterator[Finding]:
    url = urlsplit(redirect_uri)
    host, server_name = url.netloc, config.get("SERVER_NAME")
    if host != host.lower() or host.endswith({"https": ":443", "http": ":80"}[url.scheme]):
        yield warning(
            SUBJECT,
            "redirect_uri_spelling",
            f"Browsers do not write the host as {host}: they use lower case, and leave out the usual port.",
            "Write the host as a browser's address bar shows it, here and in the registration.",
        )
    if trusted := config.get("TRUSTED_HOSTS"):
        if not host_is_trusted(host, trusted):
            yield problem(
                SUBJECT,
                "redirect_host_untrusted",
                f"TRUSTED_HOSTS does not contain the redirect URI's host {host}, so Flask answers the callback with "
                "status 400.",
                f"Add {url.hostname} to TRUSTED_HOSTS, or correct COBOT_OIDC_REDIRECT_URI.",
            )
    elif server_name and _name(str(server_name)) != url.hostname and not is_loopback(url.hostname or ""):
        yield warning(
            SUBJECT,
            "redirect_host_other",
            f"The redirect URI is on {host}, but SERVER_NAME is {server_name!a}.",
            "Unless the app is reached under both names, correct the one that is wrong: a login ends on the redirect "
            "URI's host, and its session stays there.",
        )


def _prefix(
    redirect_uri: str, callback: str, config: Mapping[str, Any], surroundings: Surroundings
) -> Iterator[Finding]:
    mount = urlsplit(redirect_uri).path.removesuffix(callback)
    root = str(config.get("APPLICATION_ROOT") or "/").rstrip("/")
    if not mount:
        return
    if surroundings.script_name == mount or (surroundings.proxy_fix or {}).get("x_prefix"):
        yield ok(PROXY, "prefix_known", f"The app can know from the server that it is mounted at {mount}.")
        return
    yield warning(
        PROXY,
        "prefix_of_proxy",
        f"The redirect URI says that browsers reach the app below {mount}, but nothing tells the app so"
        + (": APPLICATION_ROOT has no effect on requests." if root == mount else "."),
        _PREFIX_REMEDY.format(prefix=mount),
    )


def _proxy(redirect_uri: str, config: Mapping[str, Any], surroundings: Surroundings) -> Iterator[Finding]:
    fix, server_name = surroundings.proxy_fix, config.get("SERVER_NAME")
    if redirect_uri.startswith("https:"):
        if fix is None:
            found = (
                "The redirect URI is https, so logins work behind a proxy that ends TLS. ProxyFix is not there, which "
                "only matters for what the app itself reads from requests."
            )
        else:
            found = "The app is wrapped in ProxyFix, and the redirect URI is https."
        yield ok(PROXY, "https", found)
        return
    behind = "SERVER_NAME is not this machine" if server_name and not is_loopback(_name(str(server_name))) else ""
    if config.get("PREFERRED_URL_SCHEME") == "https":
        behind = "PREFERRED_URL_SCHEME is https"
    if fix is not None:
        behind = "the app is wrapped in ProxyFix"
    if behind:
        yield problem(
            PROXY,
            "http_behind_proxy",
            f"The redirect URI is http on this machine, but {behind}: people behind the proxy are sent to their own "
            "computer after a login.",
            "Set COBOT_OIDC_REDIRECT_URI to the https URL that people see in their browser, and register exactly that.",
        )
    else:
        yield ok(PROXY, "development", "The redirect URI is http on this machine, which is right for development only.")


def _name(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""
