"""The settings: read from ``app.config`` once, checked whole, and handed on as one frozen value.

Everything wrong is said here, at ``init_app``, by key, value and remedy; only what the network alone can tell is
left to the first login. Nothing here waits for the provider.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .protocol.client import Client, ClientAuthentication
from .protocol.discovery import check_issuer, is_loopback
from .protocol.redirects import safe_next
from .provider.settings import ProviderSettings
from .settings import Settings, has_space_in_host
from .settings_reader import PREFIX, SettingsReader
from .spaces import is_space_name

COBOT_ISSUER = "https://www.cobot.me"
COBOT_SPACE_ISSUER = "https://{space}.cobot.me"
SHORTEST_SECRET_KEY = 32  # bytes (security.md S05)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_URL_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_ALLOWED_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read and check an app's configuration.

    :param config: ``app.config``.
    :raises ConfigurationError: ``setting_unknown``, ``setting_missing`` or ``setting_invalid``, each with the key, what
        was found (never a secret) and what is expected.
    """
    _check_flask(config)
    settings = SettingsReader(config)
    settings.refuse_unknown()
    _refuse_what_is_to_come(settings)
    issuer = settings.issuer("ISSUER", COBOT_ISSUER)
    space_issuer = _space_issuer(settings, issuer)
    redirect_uri = settings.text("REDIRECT_URI", None)
    url_prefix = settings.text("URL_PREFIX", "/cobot") or ""
    if not _URL_PREFIX.fullmatch(url_prefix):
        settings.refuse("URL_PREFIX", "a path such as '/cobot', without a slash at its end")
    if redirect_uri is not None:
        _check_redirect_uri(settings, redirect_uri, url_prefix)
    return Settings(
        client=_client(settings),
        issuer=issuer,
        space_issuer=space_issuer,
        space_issuers=_space_issuers(settings, issuer),
        serves=_serves(settings),
        scopes=_scopes(settings),
        redirect_uri=redirect_uri,
        url_prefix=url_prefix,
        after_login=_destination(settings, "AFTER_LOGIN"),
        after_logout=_destination(settings, "AFTER_LOGOUT"),
        session_lifetime=settings.whole_number("SESSION_LIFETIME", 12 * 3600, 60, 365 * 86400),
        session_idle_lifetime=_idle_lifetime(settings),
        claims=settings.words("CLAIMS", ("name", "email", "picture", "phone_number")),
        userinfo=settings.boolean("USERINFO", False),
        logout_at_provider=settings.boolean("LOGOUT_AT_PROVIDER", False),
        embedded=settings.boolean("EMBEDDED", False),
        json_blueprints=frozenset(settings.words("JSON_BLUEPRINTS", ())),
        redis_url=_redis_url(settings),
        provider=_provider(settings, space_issuer),
    )


def _check_flask(config: Mapping[str, Any]) -> None:
    """The settings of Flask itself that a safe login hangs on."""
    keys = [config.get("SECRET_KEY"), *(config.get("SECRET_KEY_FALLBACKS") or ())]
    for name, key in zip(["SECRET_KEY"] + ["SECRET_KEY_FALLBACKS"] * len(keys), keys, strict=False):
        if not isinstance(key, (str, bytes)) or len(key) < SHORTEST_SECRET_KEY:
            raise ConfigurationError(
                "setting_invalid",
                setting=name,
                found="nothing" if not key else f"{len(str(key))} characters",
                expected='32 characters or more, from: python -c "import secrets; print(secrets.token_hex())"',
            )
    if str(config.get("SESSION_COOKIE_SAMESITE")).lower() == "strict":
        raise ConfigurationError(
            "setting_invalid",
            setting="SESSION_COOKIE_SAMESITE",
            found="Strict",
            expected="Lax: browsers hide a Strict cookie from the page that a sign-in elsewhere leads back to",
        )


def _refuse_what_is_to_come(settings: SettingsReader) -> None:
    """Named already, so that nobody believes to have what is not there yet."""
    if settings.boolean("KEEP_TOKEN", False):
        settings.refuse("KEEP_TOKEN", "False: this release keeps no tokens")


def _client(settings: SettingsReader) -> Client:
    client_id = settings.text("CLIENT_ID", None)
    if client_id is None:
        raise ConfigurationError(
            "setting_missing", setting=PREFIX + "CLIENT_ID", expected="the client's id from dev.cobot.me/oauth2_clients"
        )
    secret = settings.text("CLIENT_SECRET", None)
    method = settings.text("CLIENT_AUTH", "none" if secret is None else "client_secret_post")
    if method not in get_args(ClientAuthentication):
        settings.refuse("CLIENT_AUTH", "client_secret_post, client_secret_basic or none")
    if (method == "none") != (secret is None):
        settings.refuse("CLIENT_AUTH", "none without a CLIENT_SECRET, client_secret_post or _basic with one")
    return Client(client_id, secret, cast(ClientAuthentication, method))


def _space_issuer(settings: SettingsReader, issuer: str) -> str | None:
    # Another provider's app must not send its credentials to Cobot because someone asks for a space.
    template = settings.text("SPACE_ISSUER", COBOT_SPACE_ISSUER if issuer == COBOT_ISSUER else None)
    if template is None:
        return None
    expected = "an issuer's URL with {space} as one label of its host, or in its path"
    if template.count("{space}") != 1 or not re.fullmatch(
        r"https?://(?:\{space\}\.)?[^{}]+(?:/\{space\}[^{}]*)?", template
    ):
        settings.refuse("SPACE_ISSUER", expected)
    try:
        check_issuer(template.replace("{space}", "space"))
    except ConfigurationError:
        settings.refuse("SPACE_ISSUER", expected)
    return template


def _space_issuers(settings: SettingsReader, issuer: str) -> Mapping[str, str]:
    value = settings.value("SPACE_ISSUERS", {})
    if not isinstance(value, dict) or not all(is_space_name(space) for space in value):
        settings.refuse("SPACE_ISSUERS", "a dictionary of space to issuer, such as {'co-up': 'https://my.co-up.de'}")
    for space_issuer in value.values():
        try:
            check_issuer(space_issuer)
        except ConfigurationError:
            settings.refuse("SPACE_ISSUERS", "an https URL without query, fragment or user for each space")
    if len({issuer, *value.values()}) <= len(value):
        settings.refuse("SPACE_ISSUERS", "an issuer of its own for each space, other than ISSUER")
    return dict(value)


def _serves(settings: SettingsReader) -> Callable[[str], bool]:
    """The app's own list of spaces as a question. A callable is asked each time: ``f(space)`` or ``f()`` for a list."""
    spaces = settings.value("SPACES", None)
    if spaces is None:
        return lambda _: True
    if callable(spaces):
        takes_space = bool(inspect.signature(spaces).parameters)
        return (lambda space: bool(spaces(space))) if takes_space else (lambda space: space in spaces())
    listed = settings.words("SPACES", ())
    if not all(is_space_name(space) for space in listed):
        settings.refuse("SPACES", "a list of subdomains, lower-case DNS labels such as 'co-up', or a callable")
    return frozenset(listed).__contains__


def _scopes(settings: SettingsReader) -> tuple[str, ...]:
    scopes = settings.words("SCOPES", ("openid", "email", "profile"))
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        settings.refuse("SCOPES", "scopes as RFC 6749 section 3.3 spells them, with spaces between them")
    return scopes if "openid" in scopes else ("openid", *scopes)


def _destination(settings: SettingsReader, key: str) -> str:
    """A path, or the name of an endpoint; which endpoints there are is known only later."""
    value = settings.text(key, "/") or "/"
    if value.startswith("/") and safe_next(value) is None:
        settings.refuse(key, "a path on this app, such as '/', or the name of an endpoint")
    return value


def _idle_lifetime(settings: SettingsReader) -> int | None:
    if settings.value("SESSION_IDLE_LIFETIME", None) is None:
        return None
    return settings.whole_number("SESSION_IDLE_LIFETIME", 3600, 60, 365 * 86400)


def _check_redirect_uri(settings: SettingsReader, redirect_uri: str, url_prefix: str) -> None:
    try:
        url = urlsplit(redirect_uri)
        secure = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))
    except ValueError:
        settings.refuse("REDIRECT_URI", "an absolute URL")
    if not secure or not url.hostname or url.username is not None or url.query or "#" in redirect_uri:
        settings.refuse("REDIRECT_URI", "an absolute https URL without query or fragment (http only on localhost)")
    if not url.path.endswith(f"{url_prefix}/callback"):
        settings.refuse("REDIRECT_URI", f"a URL that ends in {url_prefix}/callback, where the callback is")


def _redis_url(settings: SettingsReader) -> str | None:
    url = settings.text("REDIS_URL", None)
    if url is None:
        return None
    try:
        from redis import ConnectionPool

        ConnectionPool.from_url(url).make_connection()  # opens nothing yet
    except ImportError:
        settings.refuse("REDIS_URL", "the redis package beside it: pip install 'cobot-oidc[redis]'")
    except (TypeError, ValueError):
        settings.refuse("REDIS_URL", "a URL such as redis://localhost:6379/0, rediss://… or unix:///…")
    return url


def _provider(settings: SettingsReader, space_issuer: str | None) -> ProviderSettings:
    algorithms = settings.words("ALGORITHMS", ("RS256",))
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        settings.refuse("ALGORITHMS", f"one or more of {' '.join(ALGORITHMS)}")
    proxies = settings.value("PROXIES", {})
    if not isinstance(proxies, dict) or not all(isinstance(part, str) for pair in proxies.items() for part in pair):
        settings.refuse("PROXIES", "a dictionary of URL scheme to proxy URL, such as {'https': 'http://proxy:3128'}")
    ca_bundle = settings.text("CA_BUNDLE", None)
    if ca_bundle is not None and not Path(ca_bundle).is_file():
        settings.refuse("CA_BUNDLE", "the path of a file of certificates in PEM format")
    return ProviderSettings(
        algorithms=algorithms,
        leeway=settings.seconds("LEEWAY", 60, 0, 300),
        max_iat_age=settings.seconds("MAX_IAT_AGE", 600, 1, 86400),
        trusted_audiences=settings.words("TRUSTED_AUDIENCES", ()),
        require_kid=settings.boolean("REQUIRE_KID", False),
        allowed_hosts=_allowed_hosts(settings, space_issuer),
        connect_timeout=settings.seconds("CONNECT_TIMEOUT", 3, 0.05, 60),
        read_timeout=settings.seconds("READ_TIMEOUT", 5, 0.05, 60),
        total_timeout=settings.seconds("TOTAL_TIMEOUT", 10, 0.1, 120),
        proxies=proxies,
        ca_bundle=ca_bundle,
        metadata_lifetime=settings.seconds("METADATA_LIFETIME", 3600, 60, 86400),
        metadata_stale=settings.seconds("METADATA_STALE", 86400, 0, 7 * 86400),
        keys_lifetime=settings.seconds("KEYS_LIFETIME", 600, 60, 86400),
        keys_stale=settings.seconds("KEYS_STALE", 3600, 0, 86400),
    )


def _allowed_hosts(settings: SettingsReader, space_issuer: str | None) -> tuple[str, ...]:
    """Beside each issuer's own host: as configured, or the hosts below the domain that holds the spaces."""
    below = (f".{domain}",) if (domain := _spaces_domain(space_issuer)) else ()
    hosts = settings.words("ALLOWED_HOSTS", below)
    if not all(_ALLOWED_HOST.fullmatch(host) for host in hosts):
        settings.refuse("ALLOWED_HOSTS", "lower-case host names, or '.cobot.me' for all hosts below a domain")
    return hosts


def _spaces_domain(template: str | None) -> str | None:
    """The domain below which a template puts the spaces' hosts; ``None`` where the space is in the path."""
    host = urlsplit((template or "").replace("{space}", "space")).hostname or ""
    return host.partition(".")[2] if template is not None and has_space_in_host(template) else None
