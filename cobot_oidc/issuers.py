"""Who vouches for people in a space, how this app is registered there, and which names can be a space's.

A space's name becomes part of a host name that credentials are sent to. Therefore it is checked before it is used for
anything, and never normalised (docs/cobot.md 2, M01, M02). This module knows neither Flask nor the network.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .protocol.client import Client

# The spaces that an app serves: these, those that a function says yes to, or every well-formed name.
Spaces = frozenset[str] | Callable[[str], bool] | Literal["*"]

NEVER_SPACES = frozenset({"www", "api", "localhost"})

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_space_name(name: object) -> bool:
    """Whether this is one lower-case DNS label of 1–63 letters, digits and inner hyphens, and not a reserved name.

    Labels with hyphens in places 3 and 4 are reserved (RFC 5891 section 4.2.3.1): ``xn--`` names look like others.
    """
    return (
        isinstance(name, str) and _LABEL.fullmatch(name) is not None and name[2:4] != "--" and name not in NEVER_SPACES
    )


class SpaceIssuer(NamedTuple):
    """What the configuration says about the issuer of one space.

    :ivar client: our client there; ``None`` for the client that the app has at its provider.
    :ivar allowed_hosts: hosts that its endpoints may be on besides its own.
    """

    issuer: str
    client: Client | None = None
    allowed_hosts: tuple[str, ...] = ()


class Registration(NamedTuple):
    """How this app is registered at the issuer that vouches for one space.

    :ivar issuer: that issuer.
    :ivar client: our client there.
    :ivar callback: the space whose own callback receives the answers; ``None`` for the common one.
    :ivar allowed_hosts: hosts that the issuer's endpoints may be on besides its own; ``.cobot.me`` means all below it.
    :ivar is_named: whether the configuration names this space or issuer; false if only ``"*"`` allows it.
    """

    issuer: str
    client: Client
    callback: str | None
    allowed_hosts: tuple[str, ...]
    is_named: bool


@dataclass(frozen=True, slots=True)
class Issuers:
    """The issuers that one app trusts.

    :ivar provider: the registration at the global provider.
    :ivar template: the issuer of a space, with ``{space}`` in it; ``None`` if there is no such rule.
    :ivar exceptions: the registrations for the spaces whose issuer does not follow the template.
    :ivar taken: names that are not spaces, as the template gives them the issuer of the provider or of an exception.
    :ivar spaces: those that the app serves.
    """

    provider: Registration
    template: str | None
    exceptions: Mapping[str, Registration]
    taken: frozenset[str]
    spaces: Spaces

    @classmethod
    def of(
        cls,
        *,
        client: Client,
        issuer: str,
        template: str | None,
        exceptions: Mapping[str, SpaceIssuer],
        spaces: Spaces,
        allowed_hosts: tuple[str, ...],
    ) -> "Issuers":
        """The issuers that the settings describe, checked together.

        An issuer outside the provider's domain belongs to somebody else: it gets neither the app's client nor its
        callback, and shares no endpoint with the provider. Otherwise it could send people on to the honest provider,
        and receive the code and secret (mix-up, RFC 9700 section 4.4, X01).

        :raises ConfigurationError: ``setting_invalid`` for each exception that violates this.
        """
        provider = Registration(issuer, client, None, allowed_hosts, True)
        domain = (_host(issuer), *_domain_of(template))
        problems = [
            ConfigurationError("setting_invalid", **problem)
            for problem in (
                *_shared_issuers(issuer, exceptions),
                *_shared_secrets(client, exceptions, domain),
                *(
                    problem
                    for space, exception in exceptions.items()
                    for problem in _misplaced(space, exception, domain, allowed_hosts)
                ),
            )
        ]
        if problems:
            raise ConfigurationError.together(problems)
        registrations = {
            space: provider._replace(
                issuer=exception.issuer,
                client=exception.client or client,
                callback=space if exception.client is not None else None,
                allowed_hosts=allowed_hosts if _is_within(domain, exception.issuer) else exception.allowed_hosts,
            )
            for space, exception in exceptions.items()
        }
        return cls(provider, template, registrations, _taken(template, issuer, exceptions.values()), spaces)

    def issuer_of(self, space: str | None) -> str | None:
        """The issuer that vouches for people in this space. Called on every page view.

        :param space: ``None`` for the global provider.
        :returns: ``None`` if this is not a space that the app serves (M01, K19).
        """
        if space is None:
            return self.provider.issuer
        if not is_space_name(space) or not self._serves(space):
            return None
        if space in self.exceptions:
            return self.exceptions[space].issuer
        if self.template is None or space in self.taken:
            return None
        return self.template.replace("{space}", space)

    def registration_of(self, space: str | None) -> Registration | None:
        """How the app is registered at the issuer of this space; ``None`` as for ``issuer_of``."""
        issuer = self.issuer_of(space)
        if issuer is None or space is None:
            return self.provider if space is None else None
        if space in self.exceptions:
            return self.exceptions[space]
        return self.provider._replace(issuer=issuer, is_named=self.spaces != "*")

    def registration_at(self, issuer: str) -> Registration | None:
        """How the app is registered at this very issuer; ``None`` if it vouches for no space that the app serves."""
        if issuer == self.provider.issuer:
            return self.provider
        own = [space for space, registration in self.exceptions.items() if registration.issuer == issuer]
        space = own[0] if own else None if self.template is None else _name_in(self.template, issuer)
        registration = None if space is None else self.registration_of(space)
        return registration if registration is not None and registration.issuer == issuer else None

    def unserved(self) -> list[str]:
        """The spaces that have an issuer of their own, although the app does not serve them."""
        return sorted(self.exceptions.keys() - self.spaces) if isinstance(self.spaces, frozenset) else []

    def _serves(self, space: str) -> bool:
        if isinstance(self.spaces, frozenset):
            return space in self.spaces
        return True if isinstance(self.spaces, str) else self.spaces(space)


def has_space_in_host(template: str) -> bool:
    """Whether a template of issuers has the space in its host rather than in its path."""
    return "{space}" in _netloc(template)


def hosts_of_spaces(template: str | None) -> tuple[str, ...]:
    """The hosts below the domain of the spaces, such as ``.cobot.me``; none if the space is in the path."""
    if template is None or not has_space_in_host(template):
        return ()
    return ("." + _host(template.replace("{space}", "space")).partition(".")[2],)


def _taken(template: str | None, provider: str, exceptions: Iterable[SpaceIssuer]) -> frozenset[str]:
    if template is None:
        return frozenset()
    names = {_name_in(template, issuer) for issuer in (provider, *(exception.issuer for exception in exceptions))}
    # The provider's own label below the domain of the spaces, whatever the path.
    names.add(_name_in(_netloc(template), _netloc(provider)) if has_space_in_host(template) else None)
    return frozenset(name for name in names if name is not None)


def _name_in(template: str, issuer: str) -> str | None:
    """The space that has this issuer according to the template, if any."""
    before, _, after = template.partition("{space}")
    name = issuer.removeprefix(before).removesuffix(after)
    return name if f"{before}{name}{after}" == issuer else None


def _shared_issuers(issuer: str, exceptions: Mapping[str, SpaceIssuer]) -> Iterator[dict[str, object]]:
    seen = {issuer}
    for space, exception in exceptions.items():
        if exception.issuer in seen:
            expected = "an issuer of its own for each space, other than ISSUER"
            yield _problem(space, found=exception.issuer, expected=expected)
        seen.add(exception.issuer)


def _shared_secrets(
    client: Client, exceptions: Mapping[str, SpaceIssuer], domain: tuple[str, ...]
) -> Iterator[dict[str, object]]:
    """An issuer that knows a secret could use it wherever else that secret is valid."""
    seen = {_credential(client)}
    for space, exception in exceptions.items():
        if exception.client is None or _is_within(domain, exception.issuer):
            continue
        if _credential(exception.client) in seen:
            yield _problem(
                space,
                found="a client that is used elsewhere too",
                expected="a client_id and client_secret that only this issuer knows",
            )
        seen.add(_credential(exception.client))


def _credential(client: Client) -> tuple[str, str]:
    return ("id", client.client_id) if client.client_secret is None else ("secret", client.client_secret)


def _misplaced(
    space: str, exception: SpaceIssuer, domain: tuple[str, ...], allowed_hosts: tuple[str, ...]
) -> Iterator[dict[str, object]]:
    if _is_within(domain, exception.issuer):
        if exception.allowed_hosts:
            expected = "no allowed_hosts for an issuer inside the provider's domain: COBOT_OIDC_ALLOWED_HOSTS is for it"
            yield _problem(space, found=exception.allowed_hosts, expected=expected)
        return
    if exception.client is None:
        yield _problem(
            space,
            found=exception.issuer,
            expected="{'issuer': ..., 'client_id': ..., 'client_secret': ...}: outside the provider's domain the app "
            "needs a client of its own",
            missing="client_id",
        )
    own = {_host(exception.issuer), *exception.allowed_hosts}
    if shared := _shared(exception.allowed_hosts, domain):
        own.difference_update(shared)
        expected = "allowed_hosts outside the provider's domain, as the issuer is outside it too"
        yield _problem(space, found=shared, expected=expected)
    if shared := _shared(allowed_hosts, own):
        expected = f"only hosts of the provider; those of the issuer of {space!r} belong to its entry in SPACE_ISSUERS"
        yield {"setting": "COBOT_OIDC_ALLOWED_HOSTS", "found": shared, "expected": expected}


def _problem(space: str, **details: object) -> dict[str, object]:
    return {"setting": "COBOT_OIDC_SPACE_ISSUERS", "space": space, **details}


def _domain_of(template: str | None) -> tuple[str, ...]:
    """The hosts that belong to the operator of the spaces in a template."""
    if template is None:
        return ()
    below = hosts_of_spaces(template)
    return (*below, below[0].removeprefix(".")) if below else (_host(template.replace("{space}", "space")),)


def _is_within(domain: tuple[str, ...], issuer: str) -> bool:
    return bool(_shared([_host(issuer)], domain))


def _shared(ones: Iterable[str], others: Iterable[str]) -> list[str]:
    """Those of these hosts and domains that share a host with one of the others."""
    others = tuple(others)
    return [one for one in ones if any(_overlap(one, other) or _overlap(other, one) for other in others)]


def _overlap(one: str, other: str) -> bool:
    return one == other or (other.startswith(".") and one.endswith(other))


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _netloc(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
