"""How a request names its space. Names are not checked here: ``issuers`` knows which ones are valid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult

from flask import current_app, request

from .errors import ConfigurationError

SpaceReader = Callable[[], str | None]


def from_view_arg(name: str) -> "ViewArgument":
    """The space is the variable part ``name`` of the URL rule, as in ``/<space>/desk``.

    :param name: the view argument. Requests whose rule has none are the global provider's; if guarded rules
        have other variable parts and none has this one, the first request is refused (``view_arg_unknown``).
    """
    return ViewArgument(name)


def from_host(domain: str) -> "HostLabel":
    """The space is the label before ``domain`` in the request's host, as in ``co-up.portal.example``.

    :param domain: the portal's own domain, without a port. The domain itself belongs to the global provider, and
        so does any other host; therefore let the app check its hosts (Flask's ``TRUSTED_HOSTS``).
    """
    return HostLabel(domain)


def from_subdomain() -> "HostLabel":
    """The space is the label before the app's ``SERVER_NAME`` in the request's host."""
    return HostLabel(None)


@dataclass(frozen=True, slots=True)
class ViewArgument:
    """Reads the space from the request's URL rule.

    :param name: the rule's variable part.
    """

    name: str

    def __call__(self) -> str | None:
        """The argument, not checked yet; ``None`` if the request's rule does not have it."""
        arguments, rule = request.view_args or {}, request.url_rule
        if self.name in arguments or rule is None or self.name not in rule.arguments:
            return arguments.get(self.name)
        # The app has taken it out (``url_value_preprocessor``); without it, the page would be the global provider's.
        _, matched = current_app.create_url_adapter(request).match(return_rule=True)  # type: ignore[union-attr] # never None for a request
        return matched.get(self.name)


@dataclass(frozen=True, slots=True)
class HostLabel:
    """Reads the space from the request's host, and knows the host of a space's pages.

    :param domain: without a port; ``None`` for the app's ``SERVER_NAME``.
    """

    domain: str | None

    def __call__(self) -> str | None:
        """The label before the domain, not checked yet; ``None`` on every other host."""
        label, dot, rest = request.host.partition(":")[0].partition(".")
        return label if dot and rest == self._domain() else None

    def host(self, space: str | None, callback: SplitResult) -> str:
        """The host of this space's pages as the browser sees it, with the port of the callback."""
        port = f":{callback.port}" if callback.port else ""
        return (f"{space}." if space else "") + self._domain() + port

    def check(self, config: Mapping[str, Any], redirect_uri: str | None) -> None:
        """Check that the session reaches all hosts if they share one callback.

        :param config: ``app.config``.
        :raises ConfigurationError: ``setting_missing`` or ``setting_invalid``.
        """
        if self.domain is None and not config.get("SERVER_NAME"):
            raise ConfigurationError("setting_missing", setting="SERVER_NAME", expected="the portal's domain")
        domain = self.domain or str(config["SERVER_NAME"]).partition(":")[0]
        shared = str(config.get("SESSION_COOKIE_DOMAIN") or "").removeprefix(".")
        if redirect_uri is not None and not (shared and f".{domain}".endswith(f".{shared}")):
            raise ConfigurationError(
                "setting_invalid",
                setting="SESSION_COOKIE_DOMAIN",
                found=config.get("SESSION_COOKIE_DOMAIN"),
                expected=f"{domain}, as one callback serves the hosts of all spaces",
            )

    def _domain(self) -> str:
        return self.domain or str(current_app.config["SERVER_NAME"]).partition(":")[0]
