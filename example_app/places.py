"""Where somebody belongs: which spaces they are a member of, and which they run."""

from dataclasses import dataclass

from flask import session

from cobot_oidc import Me, current_space, current_user

_KEY = "portal_standings"


@dataclass(frozen=True, slots=True)
class Place:
    """A space that somebody belongs to. ``space`` is its subdomain, ``name`` its name for people."""

    space: str
    name: str
    is_member: bool
    is_admin: bool


def of(me: Me) -> list[Place]:
    """The spaces that somebody belongs to, by name; this portal may serve only some of them."""
    names = {each.space: each.space_name for each in me.admin_of} | {
        each.space: each.space_name for each in me.memberships
    }
    found = [
        Place(space, name or space, me.membership_in(space) is not None, me.administrates(space))
        for space, name in names.items()
    ]
    return sorted(found, key=lambda place: place.name.casefold())


def remembered() -> dict[str, dict[str, bool]]:
    """What the current browser's users were in each space when they visited it last: this asks Cobot nothing."""
    standings: dict[str, dict[str, bool]] = session.get(_KEY, {})
    return standings


def remember() -> None:
    """Note what the current user is in the space of this request, for pages that are not the space's own."""
    space = current_space()
    if space is not None and current_user.is_authenticated:
        standing = {"is_member": current_user.is_member, "is_admin": current_user.is_admin}
        if remembered().get(space) != standing:
            session[_KEY] = remembered() | {space: standing}
