"""Who may ask the API for what: bearer tokens, scopes, an admin's rights, and the requests of a minute."""

from dataclasses import dataclass

from flask import abort, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized

from .people import Person
from .state import AccessToken, State


@dataclass(frozen=True, slots=True)
class Access:
    """What the bearer of a token may do. A space's token acts for the space, as an admin of it and of no other."""

    state: State
    token: AccessToken

    def require(self, *scopes: str) -> None:
        """Refuse the request if the token has none of these scopes."""
        if not set(scopes) & set(self.token.scope.split()):
            abort(403, f"The access token does not have the scope {scopes[0]}.")

    def membership(self, space: str) -> str | None:
        """The id of the person's own membership in a space."""
        own = self.token.person.memberships.get(space)
        return own.id if own and self.token.space is None else None

    def is_admin(self, space: str) -> bool:
        """Whether the bearer may manage a space."""
        if self.token.space is not None:
            return self.token.space == space
        return space in self.token.person.admin_of and not self._is_revoked(space)

    def enter(self, space: str) -> None:
        """Refuse the request if the bearer is neither a member nor an admin of a space."""
        if self.membership(space) is None:
            self.administer(space)

    def administer(self, space: str) -> None:
        """Refuse the request if the bearer may not manage a space."""
        if self._is_revoked(space):
            abort(403, f"Your rights as an admin of {space} have been revoked.")
        if not self.is_admin(space):
            abort(403, f"You are not allowed to do this at {space}.")

    def sees(self, space: str, membership_id: str | None) -> bool:
        """Whether something that belongs to a membership is the bearer's own, or theirs to manage."""
        return self.is_admin(space) or (membership_id is not None and membership_id == self.membership(space))

    def look_at(self, space: str, membership_id: str | None) -> None:
        """Refuse the request if the bearer does not see what belongs to a membership."""
        if not self.sees(space, membership_id):
            self.administer(space)

    def spaces(self) -> list[str]:
        """The spaces that the bearer may enter."""
        return [space for space in list(self.state.spaces) if self.membership(space) or self.is_admin(space)]

    def _is_revoked(self, space: str) -> bool:
        return self.token.space is None and (self.token.person.key, space) in self.state.revoked_rights


def authenticate(state: State, *scopes: str, memberships: bool = False) -> Access:
    """The bearer of this request's token, who has to have one of the scopes.

    :param memberships: whether a list of members is asked for, which is limited more strictly.
    """
    token = bearer(state)
    count(state, token.person, memberships=memberships)
    access = Access(state, token)
    if scopes:
        access.require(*scopes)
    return access


def bearer(state: State) -> AccessToken:
    """The token that this request carries (RFC 6750 section 2.1)."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = state.tokens.get(text)
    is_valid = token is not None and (token.expires_at is None or state.clock() < token.expires_at)
    if scheme.lower() != "bearer" or token is None or not is_valid:
        raise Unauthorized("The access token is missing or not valid.", www_authenticate=WWWAuthenticate("bearer"))
    return token


def count(state: State, person: Person, *, memberships: bool = False) -> None:
    """Count a request of a person, or refuse it if there were too many."""
    seconds = state.limits.seconds_to_wait(person.key, memberships=memberships)
    if seconds is not None:
        raise TooManyRequests(f"Too many requests. Try again in {seconds} seconds.", retry_after=seconds)
