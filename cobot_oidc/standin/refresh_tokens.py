"""Refresh tokens as other providers have them, by Authlib's grant (RFC 6749 section 6): Cobot has none."""

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import RefreshTokenGrant

from .people import Person

if TYPE_CHECKING:
    from .state import IssuedCode, State


@dataclass(frozen=True, slots=True)
class RefreshPolicy:
    """How tokens are renewed: seconds that an access token is valid, and whether each refresh token counts once."""

    lifetime: int
    rotate: bool


@dataclass(frozen=True, slots=True)
class IssuedRefreshToken:
    """A refresh token; the names are those that Authlib expects.

    :ivar family: the same for all that follow from one login.
    :ivar code: the login that it came from.
    """

    token: str
    family: str
    client_id: str
    scope: str
    code: "IssuedCode"
    is_used: bool = False

    def check_client(self, client: Any) -> bool:
        return bool(self.client_id == client.client_id)

    def get_scope(self) -> str:
        return self.scope


def issue(state: "State", client_id: str, scope: str, code: "IssuedCode", family: str | None = None) -> str:
    """A new refresh token.

    :param family: that of the one that it follows.
    """
    token = secrets.token_hex(32)
    issued = IssuedRefreshToken(token, family or secrets.token_hex(8), client_id, scope, code)
    state.refresh_tokens[token] = issued
    state.secrets.add(token)
    return token


def end_family(state: "State", family: str) -> None:
    """Forget all that followed from one login."""
    for token in [token for token, each in state.refresh_tokens.items() if each.family == family]:
        del state.refresh_tokens[token]


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc] # Authlib is untyped here
    """Renews tokens if the stand-in has been told to."""

    INCLUDE_NEW_REFRESH_TOKEN = True
    state: "State"
    id_token: Any

    @classmethod
    def check_token_endpoint(cls, asked: Any) -> bool:
        return cls.state.refresh is not None and bool(super().check_token_endpoint(asked))

    def authenticate_refresh_token(self, refresh_token: str) -> IssuedRefreshToken | None:
        with self.state.renewing:
            issued = self.state.refresh_tokens.get(refresh_token)
            if issued is None:
                return None
            if issued.is_used:  # somebody has a copy: all that follow from that login end (RFC 9700 section 4.14.2)
                self.state.reused_refresh_tokens += 1
                end_family(self.state, issued.family)
                return None
            if self.state.refresh is not None and self.state.refresh.rotate:
                self.state.refresh_tokens[refresh_token] = replace(issued, is_used=True)
            return issued

    def authenticate_user(self, refresh_token: IssuedRefreshToken) -> Person:
        return refresh_token.code.person

    def issue_token(self, user: Person, refresh_token: IssuedRefreshToken) -> dict[str, Any]:
        token: dict[str, Any] = super().issue_token(user, refresh_token)
        policy = self.state.refresh
        if policy is not None and policy.rotate:
            scope, family = refresh_token.scope, refresh_token.family
            token["refresh_token"] = issue(self.state, refresh_token.client_id, scope, refresh_token.code, family)
        token["id_token"] = type(self).id_token(token, refresh_token.client_id, refresh_token.code)
        return token

    def revoke_old_credential(self, refresh_token: IssuedRefreshToken) -> None:
        del refresh_token  # it was marked as used before, so that two at once do not both count
