"""Who somebody is at Cobot: the typed results of what identity needs (``GET /api/user``, docs/cobot.md 4)."""

from dataclasses import dataclass
from typing import Any

from ..errors import APIError
from ..identity.user import Membership


@dataclass(frozen=True, slots=True)
class Administration:
    """A space that somebody administers. ``space`` is its subdomain; ``name`` is theirs in it."""

    space: str
    space_name: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Me:
    """The person that an access token belongs to.

    :ivar id: Cobot's id for them.
    :ivar email: not verified, and not an identity (docs/cobot.md 5).
    :ivar memberships: in all spaces.
    :ivar admin_of: the spaces that they administer.
    """

    id: str
    email: str | None
    memberships: tuple[Membership, ...]
    admin_of: tuple[Administration, ...]

    @classmethod
    def read(cls, document: Any) -> "Me":
        """Read the answer of ``GET /api/user``.

        :raises APIError: ``answer_unusable`` if it does not say who and where.
        """
        try:
            return cls(
                id=_text(document["id"]),
                email=_optional(document.get("email")),
                memberships=tuple(
                    Membership(_text(each["id"]), _text(each["space_subdomain"]), _optional(each.get("space_name")))
                    for each in document.get("memberships") or ()
                ),
                admin_of=tuple(
                    Administration(
                        _text(each["space_subdomain"]), _optional(each.get("space_name")), _optional(each.get("name"))
                    )
                    for each in document.get("admin_of") or ()
                ),
            )
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"/api/user: {type(error).__name__}"
        raise APIError("answer_unusable", reason=reason)

    def membership_in(self, space: str | None) -> Membership | None:
        """Their membership in a space; ``None`` if they have none."""
        return next((membership for membership in self.memberships if membership.space == space), None)

    def administrates(self, space: str | None) -> bool:
        """Whether they administer a space."""
        return any(administration.space == space for administration in self.admin_of)


@dataclass(frozen=True, slots=True)
class SpaceToken:
    """A token for background work in a space; it belongs to the space rather than to a person.

    :ivar space_id: the id that it was asked for with.
    :ivar scopes: what it may be used for.
    """

    token: str
    space_id: str
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<SpaceToken of {self.space_id!r}>"


def scopes_of(value: object) -> tuple[str, ...]:
    """Scopes as Cobot lists them, in a list or in one text.

    :raises APIError: ``answer_unusable`` for anything else.
    """
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and all(isinstance(scope, str) for scope in value):
        return tuple(value)
    raise APIError("answer_unusable", reason="scope is neither a list nor text")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _optional(value: object) -> str | None:
    return value if isinstance(value, str) else None
