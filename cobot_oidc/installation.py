"""What ``init_app`` leaves in ``app.extensions["cobot_oidc"]``, and how every room finds it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from flask import Flask

from .context import the_app
from .errors import ConfigurationError
from .events import Events
from .identity.ended_logins import EndedLogins
from .identity.stored import Terms
from .identity.user import Standing, User
from .settings import Settings
from .spaces import SpaceReader

if TYPE_CHECKING:
    from .issuers import Registration
    from .login.used_states import UsedStates
    from .provider.provider import Provider
    from .provider.providers import Providers
    from .provider.shared_store import SharedStore

T = TypeVar("T")
Clock = Callable[[], float]  # seconds since the epoch
# The app's own function: from the space and the ``next`` of a login to further parameters of its request.
FurtherGiven = Mapping[str, object] | None
AuthorizationRequestHook = Callable[[str | None, str | None], FurtherGiven | Awaitable[FurtherGiven]]


class Installation:
    """One app's extension: its settings, how a request names its space, the clock, and what logins share.

    What logins share is created by the first login: its modules take longer to import than everything else.

    :param clock: seconds since the epoch.
    :param find_standing: tells what a user is in their space; used with ``COBOT_OIDC_MEMBERSHIP`` only.
    :param authorization_request: returns the app's own function for further parameters, if it has one by now.
    """

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        read_space: SpaceReader | None,
        clock: Clock,
        find_standing: Callable[[User], Standing | None],
        authorization_request: Callable[[], AuthorizationRequestHook | None],
    ) -> None:
        self.settings = settings
        self.read_space = read_space
        self.clock = clock
        self.authorization_request = authorization_request
        self.terms = Terms.of(
            settings.claims,
            lifetime=settings.session_lifetime,
            idle_lifetime=settings.session_idle_lifetime,
            find_standing=find_standing if settings.membership else None,
        )
        self.ended_logins = EndedLogins(
            clock,
            settings.session_lifetime,
            hears_providers=settings.backchannel_logout,
            secret=self._secret,
            store=self.store,
        )
        self.events = Events(app)
        self._app = app
        self._shared: dict[str, object] = {}

    @property
    def providers(self) -> "Providers":
        """The providers that this app knows."""
        from .provider.providers import Providers

        settings, tell = self.settings.provider, self.events.tell
        return self.once("providers", lambda: Providers(settings, self.clock, tell, self.store()))

    def provider_of(self, registration: "Registration") -> "Provider":
        """The provider that a registration is at."""
        return self.providers.provider(
            registration.issuer,
            allowed_hosts=registration.allowed_hosts,
            is_named=registration.is_named,
            is_others=registration.callback is not None,
        )

    @property
    def used_states(self) -> "UsedStates":
        """The logins that were answered already."""
        from .login.used_states import UsedStates

        return self.once("used_states", lambda: UsedStates(self.store()))

    def store(self) -> "SharedStore | None":
        """What this app's processes share; ``None`` if there is no Redis."""
        url = self.settings.redis_url
        if url is None:
            return None
        from .provider.shared_store import SharedStore

        return self.once("store", lambda: SharedStore(url, self._secret(), clock=self.clock, tell=self.events.tell))

    def _secret(self) -> bytes:
        key = cast("str | bytes", self._app.secret_key)
        return key.encode() if isinstance(key, str) else key

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What is made when first needed, the same for every thread. No lock: a fork could copy a held one (K20)."""
        if name not in self._shared:
            self._shared.setdefault(name, make())
        return cast(T, self._shared[name])


def installation(app: Flask | None = None) -> Installation:
    """The installation of an app, or of the current one.

    :raises ConfigurationError: ``not_installed`` if ``init_app`` was never called for it.
    """
    try:
        installed: Installation = (app or the_app()).extensions["cobot_oidc"]
    except KeyError:
        raise ConfigurationError("not_installed", app=(app or the_app()).name) from None
    return installed
