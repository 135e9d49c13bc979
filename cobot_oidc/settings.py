"""Every setting, defined once: its key, its default, its check, and its description in docs/configuration.md.

``make docs`` makes that page and the type ``CobotOIDCConfig`` from the table. Everything is read and checked once, by
``init_app``; nothing here waits for the network or imports Flask.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from . import settings_checks as check
from .errors import ConfigurationError
from .identity.user import User
from .issuers import Issuers, SpaceIssuer, Spaces, hosts_of_spaces
from .settings_checks import Unfit, optional, seconds, whole_number, words
from .settings_clients import ClientSettings, space_issuers
from .settings_mistakes import PREFIX, Problems, check_flask, refuse_unknown
from .settings_table import Following, rows, setting

COBOT_ISSUER = "https://www.cobot.me"
COBOT_SPACE_ISSUER = "https://{space}.cobot.me"
COBOT_API_URL = "https://api.cobot.me"
API_LIMIT = "60 per minute"
READ_USER = "read_user"  # the scope of /api/user

_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """Who vouches for people. With the client, ``Issuers`` is made from it."""

    issuer: str = setting(
        check.issuer,
        "the global provider; or the issuer of any OpenID provider, spelt exactly as in its document",
        default=COBOT_ISSUER,
    )
    space_issuer: str | None = setting(
        optional(check.space_issuer),
        "template, the space as a label of the host or in the path; `None` if there are no spaces",
        # Another provider's app must not send its credentials to Cobot because someone asks for a space.
        default=Following(
            lambda before: COBOT_SPACE_ISSUER if before.get("issuer") == COBOT_ISSUER else None,
            "`https://{space}.cobot.me`; with another `ISSUER`, none",
        ),
    )
    space_issuers: Mapping[str, SpaceIssuer] = setting(
        space_issuers,
        "exceptions, space → issuer. Inside the provider's domain, only the issuer; elsewhere, such as for a custom "
        'domain, `{"issuer": …, "client_id": …, "client_secret": …}` with a client of its own, registered for the '
        "callback `/cobot/callback/<space>`; the other `client_…` settings, `pushed_authorization_requests` and "
        "`allowed_hosts` are optional. [More](spaces.md)",
        default={},
        is_secret=True,
    )
    spaces: Spaces = setting(
        check.spaces,
        "the spaces that this app serves: a list; a callable, `f()` that returns one or `f(space)` that says yes or "
        'no; or `"*"` for every well-formed name. If it is not set, the app serves no spaces',
        default=frozenset(),
    )
    allowed_hosts: tuple[str, ...] = setting(
        check.allowed_hosts,
        "the hosts that endpoints may be on besides the issuer's own host, which is always allowed: "
        "`oauth2.googleapis.com`, or `.cobot.me` for all hosts below that. Not for issuers outside the provider's "
        "domain, which have their own",
        default=Following(
            lambda before: hosts_of_spaces(before.get("space_issuer")),
            "the hosts below the domain that `SPACE_ISSUER` names",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """How providers are called, and what is accepted from them.

    :ivar longest_idle: seconds that a kept connection may be idle and still be reused.
    :ivar most_issuers: how many issuers are kept; beyond that, the least recently used one is dropped.
    """

    algorithms: tuple[str, ...] = setting(
        check.algorithms,
        "of id tokens; more of `RS PS ES` with `256 384 512`, `EdDSA`. A document can only narrow them; HMAC and "
        "`none` are not supported",
        default=("RS256",),
    )
    leeway: float = setting(seconds(0, 300), "seconds that a provider's clock may differ, at most 300", default=60)
    max_iat_age: float = setting(
        seconds(1, _DAY), "seconds after its issue for which an id token is accepted", default=600
    )
    trusted_audiences: tuple[str, ...] = setting(words(), "further audiences that an id token may have", default=())
    require_kid: bool = setting(check.boolean, "refuse id tokens without a `kid`", default=False)
    connect_timeout: float = setting(seconds(0.05, 60), "seconds for opening a connection", default=3)
    read_timeout: float = setting(seconds(0.05, 60), "seconds between two reads", default=5)
    total_timeout: float = setting(seconds(0.1, 120), "seconds for a whole call", default=10)
    request_timeout: float = setting(
        seconds(0.1, 120), "seconds for a whole login, callback or logout, whatever it waits for", default=15
    )
    metadata_lifetime: float = setting(
        seconds(60, _DAY), "seconds for which a provider's document is fresh", default=3600
    )
    metadata_stale: float = setting(
        seconds(0, 7 * _DAY), "seconds beyond that for which it stays in use while the provider is down", default=_DAY
    )
    keys_lifetime: float = setting(seconds(60, _DAY), "seconds for which a key set is fresh", default=600)
    keys_stale: float = setting(
        seconds(0, _DAY), "seconds beyond that for which it stays in use while the provider is down", default=3600
    )
    proxies: Mapping[str, str] = setting(
        check.proxies,
        "URL scheme → proxy URL. Nothing is taken from the environment",
        default=MappingProxyType({}),
        is_secret=True,
    )
    ca_bundle: str | None = setting(
        optional(check.ca_bundle),
        "path of a file with the certificate authorities to trust. Verification cannot be turned off",
        default=None,
        shown="certifi's",
    )
    longest_idle: float = 30
    most_issuers: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of one app: how people log in to it, who vouches for them, and how providers are called."""

    issuers: Issuers
    provider: ProviderSettings

    scopes: tuple[str, ...] = setting(check.scopes, "`openid` is always sent", default=("openid", "email", "profile"))
    redirect_uri: str | None = setting(
        optional(check.redirect_uri),
        "absolute URL of the callback. If it is not set, the host has to be `localhost`, or vouched for by Flask's "
        "`SERVER_NAME` or `TRUSTED_HOSTS`",
        default=None,
        shown="built from the request",
    )
    url_prefix: str = setting(
        check.url_prefix,
        "of the routes `login`, `callback`, `logout` and `logged-out`, and of the style of our pages",
        default="/cobot",
    )
    after_login: str | Callable[[User], str] = setting(
        check.after_login,
        "where a login ends if no `next` is given: a path below the app's root; an endpoint, which gets [the "
        "space](spaces.md#where-a-login-at-a-space-ends) if it takes one; or a function of the `User` that returns a "
        'path such as `url_for("home")`',
        default="/",
    )
    after_logout: str | None = setting(
        optional(check.destination),
        "where a logout ends: a path below the app's root, or an endpoint. Choose a page that needs no login: any "
        "other logs people in again at once, as the provider still knows them",
        default=None,
        shown="a page of ours",
    )
    session_lifetime: int = setting(
        whole_number(60, 365 * _DAY), "seconds from the login after which it expires", default=12 * 3600
    )
    session_idle_lifetime: int | None = setting(
        optional(whole_number(60, 365 * _DAY)),
        "seconds without a visit after which a login expires, such as 3600. A visit is recorded, and the session's "
        "cookie set, at most twelve times in that span",
        default=None,
    )
    claims: tuple[str, ...] = setting(
        words(), "the claims that the session keeps", default=("name", "email", "picture", "phone_number")
    )
    userinfo: bool | Literal["signed"] = setting(
        check.userinfo,
        "ask the userinfo endpoint at each login for claims that the id token leaves out; costs a request. A signed "
        'answer is verified; with `"signed"`, any other is refused',
        default=False,
    )
    logout_at_provider: bool = setting(
        check.boolean,
        "after logging out here, send the browser on to [the provider's own logout](logout.md#at-the-provider-too), if "
        "its document names one (Cobot's does not); its answer comes back to `AFTER_LOGOUT`, or to "
        "`/cobot/logged-out`: a URL to register there. The login's id token is kept for it, sealed",
        default=False,
    )
    backchannel_logout: bool = setting(
        check.boolean,
        "let providers [end logins](logout.md#when-somebody-logs-out-at-the-provider) by a request of their own to "
        "`/cobot/backchannel-logout`; needs `REDIS_URL`, by which every process learns of it",
        default=False,
    )
    json_blueprints: frozenset[str] = setting(
        check.blueprints, "names of blueprints whose requests all want JSON", default=frozenset()
    )
    language: Callable[[], object] | None = setting(
        optional(check.function),
        "a function that returns the language of our pages for this request's person, such as `de`, or "
        "[Flask-Babel's `get_locale`](how-to/flask-babel.md) itself. Without it the browser's languages decide, and in "
        "a frame Cobot's",
        default=None,
    )
    embedded: bool = setting(
        check.boolean,
        "the app may be shown [inside Cobot](frames.md), in a frame that has a session of its own",
        default=False,
    )
    redis_url: str | None = setting(
        optional(check.redis_url),
        "a Redis that every worker and machine of this app shares: [documents, keys, budgets, used "
        "logins](provider.md#many-workers-many-machines). Needs `pip install 'cobot-oidc[redis]'`. Without it each "
        "process keeps its own, in memory",
        default=None,
        is_secret=True,
    )
    keep_token: bool = setting(
        check.boolean,
        "keep the access token for [Cobot's API](api.md): sealed in the session, or in Redis if there is one",
        default=False,
    )
    refresh_tokens: bool = setting(
        check.boolean,
        "keep the [refresh token](api.md#tokens-that-expire) too if the provider gives one (Cobot does not), and renew "
        "the access token with it once that has expired; needs `KEEP_TOKEN`, and with several processes `REDIS_URL`",
        default=False,
    )
    revoke_token: bool = setting(
        check.boolean,
        "revoke a kept token at Cobot after a logout, in the background; needs `KEEP_TOKEN`",
        default=False,
    )
    membership: bool = setting(
        check.boolean,
        "ask Cobot at each login whether the person is a member of the space, or an admin: "
        "[`current_user.membership`](api.md#who-is-a-member). Adds the scope `read_user`, and a request to each login",
        default=False,
    )
    membership_lifetime: float = setting(
        seconds(60, _DAY),
        "seconds after which Cobot is asked again, if the token is kept. Without `KEEP_TOKEN`, the answer is as old as "
        "the login",
        default=600,
    )
    membership_stale: float = setting(
        seconds(0, _DAY),
        "seconds beyond that for which the last answer stays valid while Cobot cannot be asked. 0: nobody is let in "
        "then",
        default=0,
    )
    api_url: str | None = setting(
        optional(check.base_url),
        "where API 2 is",
        default=Following(
            lambda before: _api_url(before.get("issuer") or ""), "the host of `ISSUER`, with `api` in place of `www`"
        ),
    )
    api_limit: str = setting(
        check.limit, "how many calls of the API each user may make, in the notation of `limits`", default=API_LIMIT
    )

    def __repr__(self) -> str:
        """Does not show URLs, which may contain passwords."""
        return f"<Settings at {self.issuers.provider.issuer!r}>"


def read_settings(config: Mapping[str, Any], further_checks: Iterable[Callable[[], object]] = ()) -> Settings:
    """Read and check an app's configuration.

    :param config: ``app.config``.
    :param further_checks: checks of the app whose problems are reported together with those of the settings.
    :raises ConfigurationError: ``setting_unknown``, ``setting_missing`` or ``setting_invalid`` with the key, what was
        found (never a secret) and what is expected; several together as ``settings_invalid``, each in ``problems``.
    """
    problems = Problems()
    with problems.noted():
        check_flask(config)
    with problems.noted():
        refuse_unknown(config, KEYS)
    values: dict[type, dict[str, Any] | None] = {}
    for group in GROUPS:
        values[group] = _read(group, config, values.get(IssuerSettings) or {}, problems)
    issuers = None
    if (client := values[ClientSettings]) is not None and (issuer := values[IssuerSettings]) is not None:
        with problems.noted():
            issuers = _issuers(ClientSettings(**client), IssuerSettings(**issuer))
    if (own := values[Settings]) is not None:
        with problems.noted():
            check_callback(own["redirect_uri"], own["url_prefix"])
        with problems.noted():
            _check_tokens(own)
        with problems.noted():
            _check_backchannel_logout(own)
    for further_check in further_checks:
        with problems.noted():
            further_check()
    problems.raise_any()
    if own is not None and own["membership"] and READ_USER not in own["scopes"]:
        own["scopes"] = (*own["scopes"], READ_USER)  # within which Cobot is asked
    return Settings(
        issuers=cast(Issuers, issuers), provider=ProviderSettings(**values[ProviderSettings] or {}), **own or {}
    )


def _read(
    group: type, config: Mapping[str, Any], before: Mapping[str, Any], problems: Problems
) -> dict[str, Any] | None:
    """The values of one part of the table; ``None`` if one of them is wrong.

    :param before: the values of the parts that come before this one.
    """
    values: dict[str, Any] = {}
    for row in rows(group):
        with problems.noted():
            values[row.name] = row.read(config, {**before, **values})
    return values if len(values) == sum(1 for _ in rows(group)) else None


def _check_tokens(own: Mapping[str, Any]) -> None:
    """What depends on whether the app keeps access tokens."""
    for name, what_for in (("revoke_token", "revoke"), ("refresh_tokens", "renew")):
        if own[name] and not own["keep_token"]:
            raise ConfigurationError(
                "setting_invalid",
                setting=f"{PREFIX}{name.upper()}",
                found=True,
                expected=f"False, unless {PREFIX}KEEP_TOKEN is True: there is no token to {what_for}",
            )


def _check_backchannel_logout(own: Mapping[str, Any]) -> None:
    """A provider's request reaches one process, without the browser's cookie: only Redis tells the others."""
    if own["backchannel_logout"] and own["redis_url"] is None:
        raise ConfigurationError(
            "setting_invalid",
            setting=f"{PREFIX}BACKCHANNEL_LOGOUT",
            found=True,
            expected=f"False, unless {PREFIX}REDIS_URL is set: every process has to learn that a login was ended, "
            "and no session store can be searched for it",
        )


def _api_url(issuer: str) -> str | None:
    """Where API 2 is beside a provider whose host is named as Cobot's is."""
    scheme, _, rest = issuer.partition("://www.")
    return f"{scheme}://api.{rest}" if rest else None


def _issuers(of_client: ClientSettings, given: IssuerSettings) -> Issuers:
    try:
        client = of_client.client()
    except Unfit as unfit:
        found = of_client.client_auth if unfit.about == "CLIENT_AUTH" else "one that is not shown"
        raise ConfigurationError(
            "setting_invalid", setting=f"{PREFIX}{unfit.about}", found=found, expected=unfit.expected
        ) from None
    return Issuers.of(
        client=client,
        issuer=given.issuer,
        template=given.space_issuer,
        exceptions=given.space_issuers,
        spaces=given.spaces,
        allowed_hosts=given.allowed_hosts,
    )


def check_callback(redirect_uri: str | None, url_prefix: str) -> None:
    """Check that the redirect URI is the URL of the callback.

    :raises ConfigurationError: ``setting_invalid``.
    """
    callback = f"{url_prefix}/callback"
    if redirect_uri is not None and not urlsplit(redirect_uri).path.endswith(callback):
        expected = f"a URL that ends in {callback}, which is the path of the callback"
        raise ConfigurationError(
            "setting_invalid", setting=f"{PREFIX}REDIRECT_URI", found=redirect_uri, expected=expected
        )


GROUPS = (ClientSettings, IssuerSettings, Settings, ProviderSettings)
TABLE = tuple(row for group in GROUPS for row in rows(group))
KEYS = frozenset(row.key for row in TABLE)
