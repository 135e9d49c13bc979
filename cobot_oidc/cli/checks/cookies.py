"""Cookies that would not come back: with them nobody stays logged in, and browsers say nothing about it."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..findings import Finding, ok, problem, warning
from .redirect import mount_of

SUBJECT = "cookies"


def cookie_findings(
    redirect_uri: str | None, url_prefix: str, config: Mapping[str, Any], *, embedded: bool
) -> Iterator[Finding]:
    """What is wrong with the session's cookie, or that nothing is."""
    found = [
        *_secure(redirect_uri, config),
        *_domain(redirect_uri, config),
        *_path(redirect_uri, url_prefix, config),
        *_same_site(config),
        *_name(config),
        *(_frames(redirect_uri) if embedded else ()),
    ]
    yield from found
    if not found:
        yield ok(SUBJECT, "cookies", "Browsers send the session's cookie back to the callback and to the app's pages.")


def _secure(redirect_uri: str | None, config: Mapping[str, Any]) -> Iterator[Finding]:
    is_secure = bool(config.get("SESSION_COOKIE_SECURE"))
    if is_secure and redirect_uri is not None and redirect_uri.startswith("http:"):
        yield warning(
            SUBJECT,
            "cookie_secure_over_http",
            "SESSION_COOKIE_SECURE is True, but the redirect URI is http: browsers such as Safari drop the session's "
            "cookie, even on localhost.",
            "Leave SESSION_COOKIE_SECURE out: it is set to True as soon as COBOT_OIDC_REDIRECT_URI is https.",
        )
    reached_by_https = (redirect_uri or "").startswith("https:") or config.get("PREFERRED_URL_SCHEME") == "https"
    if not is_secure and reached_by_https:
        yield warning(
            SUBJECT,
            "cookie_not_secure",
            "SESSION_COOKIE_SECURE is not True, although browsers use https: they send the session over http too.",
            "Set SESSION_COOKIE_SECURE=True, and do not change it after CobotOIDC(app).",
        )


def _domain(redirect_uri: str | None, config: Mapping[str, Any]) -> Iterator[Finding]:
    domain = config.get("SESSION_COOKIE_DOMAIN")
    host = urlsplit(redirect_uri or "").hostname
    if not domain or host is None:
        return
    domain = str(domain).lower().removeprefix(".")
    if host != domain and not host.endswith(f".{domain}"):
        yield problem(
            SUBJECT,
            "cookie_domain",
            f"SESSION_COOKIE_DOMAIN is {domain!a}, which does not contain the redirect URI's host {host}: "
            "browsers drop the session's cookie there, so nobody stays logged in.",
            f"Remove SESSION_COOKIE_DOMAIN, or set it to a domain that {host} is in.",
        )


def _path(redirect_uri: str | None, url_prefix: str, config: Mapping[str, Any]) -> Iterator[Finding]:
    setting = "SESSION_COOKIE_PATH" if config.get("SESSION_COOKIE_PATH") else "APPLICATION_ROOT"
    path = str(config.get(setting) or "/")
    mount = (mount_of(redirect_uri, url_prefix) if redirect_uri is not None else "") + "/"
    if not mount.startswith(path.rstrip("/") + "/") and (redirect_uri is not None or setting == "SESSION_COOKIE_PATH"):
        yield problem(
            SUBJECT,
            "cookie_path",
            f"{setting} makes browsers keep the session's cookie for {path!a} alone, but the app's pages and its "
            f"callback begin with {mount}: the cookie does not come back.",
            f"Set SESSION_COOKIE_PATH={mount}.",
        )


def _same_site(config: Mapping[str, Any]) -> Iterator[Finding]:
    if str(config.get("SESSION_COOKIE_SAMESITE")).lower() != "none" or config.get("SESSION_COOKIE_SAMESITE") is None:
        return
    if not config.get("SESSION_COOKIE_SECURE"):
        yield problem(
            SUBJECT,
            "cookie_same_site",
            "SESSION_COOKIE_SAMESITE is None without SESSION_COOKIE_SECURE: browsers drop such a cookie.",
            "Set SESSION_COOKIE_SAMESITE='Lax'. For an app inside Cobot, set COBOT_OIDC_EMBEDDED=True.",
        )
    else:
        yield warning(
            SUBJECT,
            "cookie_same_site",
            "SESSION_COOKIE_SAMESITE is None: other sites can send requests with the session of whoever visits them.",
            "Set SESSION_COOKIE_SAMESITE='Lax'. For an app inside Cobot, set COBOT_OIDC_EMBEDDED=True.",
        )


def _name(config: Mapping[str, Any]) -> Iterator[Finding]:
    """RFC 6265bis section 4.1.3."""
    name = str(config.get("SESSION_COOKIE_NAME", ""))
    needs = []
    if name.startswith(("__Host-", "__Secure-")) and not config.get("SESSION_COOKIE_SECURE"):
        needs.append("SESSION_COOKIE_SECURE=True")
    if name.startswith("__Host-") and config.get("SESSION_COOKIE_DOMAIN"):
        needs.append("no SESSION_COOKIE_DOMAIN")
    path = str(config.get("SESSION_COOKIE_PATH") or config.get("APPLICATION_ROOT") or "/")
    if name.startswith("__Host-") and path != "/":
        needs.append("SESSION_COOKIE_PATH=/")
    if needs:
        yield problem(
            SUBJECT,
            "cookie_name",
            f"SESSION_COOKIE_NAME begins with {name.partition('-')[0]}-: browsers drop it without {', '.join(needs)}.",
            f"Set {', '.join(needs)}; or choose a name without the prefix.",
        )


def _frames(redirect_uri: str | None) -> Iterator[Finding]:
    if not (redirect_uri or "").startswith("https:"):
        yield warning(
            SUBJECT,
            "frame_needs_https",
            "COBOT_OIDC_EMBEDDED is True, but the redirect URI is not https: cookies in a frame have to be Secure, and "
            "Cobot's https pages cannot show http in a frame.",
            "This is fine for development on localhost. Everywhere else, set an https COBOT_OIDC_REDIRECT_URI.",
        )
