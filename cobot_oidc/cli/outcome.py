"""What a registration means for the app: the settings that come of it, and what its people have to be told.

Where the provider registered something else than was asked for, it can narrow what the app does, and never widen it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .. import settings_checks as check
from ..errors import ConfigurationError
from ..protocol.client import Client
from ..protocol.registration import RegistrationRequest, RegistrationResponse
from ..settings import check_callback

LONGEST_LIST = 200  # characters of what the provider says


@dataclass(frozen=True, slots=True)
class Outcome:
    """One registration.

    :ivar client: how the app uses what the provider answered.
    :ivar url_prefix: of the app's routes, which the redirect URI has to fit.
    :ivar usual_scopes: those that every app gets at Cobot.
    """

    asked: RegistrationRequest
    answer: RegistrationResponse
    client: Client
    url_prefix: str
    usual_scopes: tuple[str, ...]

    @property
    def redirect_uri(self) -> str:
        """The registered redirect URI: the provider's spelling of it, but never another host than was asked for."""
        asked, registered = self.asked.redirect_uri, self.answer.redirect_uris
        if registered is None or asked in registered or len(registered) != 1:
            return asked
        [other] = registered
        try:
            check_callback(check.redirect_uri.read(other), self.url_prefix)
        except (check.Unfit, ConfigurationError):
            return asked
        return other if _origin(other) == _origin(asked) else asked

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those of the scopes asked for that the provider registered."""
        registered = self.answer.scopes or self.asked.scopes
        return tuple(scope for scope in self.asked.scopes if scope in registered or scope == "openid")

    @property
    def access(self) -> dict[str, str]:
        """With what the registration can be changed (RFC 7592 section 3), as far as the provider says so."""
        members = {
            "registration_client_uri": self.answer.management_uri,
            "registration_access_token": self.answer.access_token,
        }
        return {name: value for name, value in members.items() if value is not None}

    def differences(self) -> Iterator[str]:
        """What is not as it was asked for. What the provider says is ASCII without control characters."""
        asked, answer, client = self.asked, self.answer, self.client
        if answer.redirect_uris is not None and asked.redirect_uri not in answer.redirect_uris:
            names = " ".join(answer.redirect_uris)[:LONGEST_LIST] or "none"
            yield f"The provider registered another redirect URI: {names}. The configuration has {self.redirect_uri}."
            if self.redirect_uri == asked.redirect_uri:
                yield "That is the one that was asked for. No login will work until the registration has it too."
        if answer.authentication not in (None, asked.authentication):
            yield (
                f"The provider registered the authentication {answer.authentication} instead of "
                f"{asked.authentication}. The configuration uses {client.authentication}"
                + (", as the provider issued a secret." if answer.authentication != client.authentication else ".")
            )
        elif asked.authentication != client.authentication:
            yield "The provider issued no secret, so the client is a public one, which only PKCE protects."
        if answer.client_secret is not None and client.client_secret is None:
            yield "The provider issued a secret, but a public client needs none. It is not printed."
        if answer.scopes and (missing := [scope for scope in asked.scopes if scope not in answer.scopes]):
            yield f"The provider did not register these scopes: {' '.join(missing)}."

    def about_secrets(self) -> Iterator[str]:
        """How long the secret is valid."""
        if self.client.client_secret is None:
            return
        expires_at = self.answer.secret_expires_at
        if expires_at is None:
            expires = "The provider does not say whether it expires."
        elif expires_at == 0:
            expires = "It does not expire."
        else:
            date = datetime.fromtimestamp(expires_at, UTC)
            expires = f"It expires on {date:%Y-%m-%d at %H:%M} UTC; nobody can log in after that."
        yield f"The client's secret is shown this one time only. Keep it out of version control. {expires}"

    def unknown(self) -> Iterator[str]:
        """What no answer tells."""
        yield "Whether the provider has to approve the client first is not known; the first login will tell."
        if more := [scope for scope in self.asked.scopes if scope not in self.usual_scopes]:
            yield (
                f"Whether the client may use {' '.join(more)} is not known either: Cobot's document does not list the "
                "scopes of its API."
            )
        yield "The configuration names no spaces: set FLASK_COBOT_OIDC_SPACES if the app serves any."
        yield (
            "The configuration has no SECRET_KEY: if the app has none yet, set FLASK_SECRET_KEY to the output of "
            'python -c "import secrets; print(secrets.token_hex())".'
        )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
