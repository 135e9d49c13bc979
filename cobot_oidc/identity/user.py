"""Who is logged in, as the app sees it. This module knows nothing of sessions, requests or the network."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict, cast

LOGIN_ID_BYTES = 2  # three characters of base64url

if TYPE_CHECKING:
    from typing_extensions import ReadOnly  # type checkers know it without the package
else:

    class ReadOnly:
        """Nothing but the type itself; ``typing`` has it since Python 3.13."""

        def __class_getitem__(cls, kind: type) -> type:
            return kind


class StandardClaims(TypedDict, total=False):
    """The claims that have a meaning in OIDC Core 5.1, and those of 2 about the login: each of this type, or absent.

    For type checkers: ``user.claims["email"]`` is a ``str``, and a misspelt name is an error. Read a claim of the
    provider's own with ``user.claims.get("company")``.
    """

    iss: ReadOnly[str]
    sub: ReadOnly[str]
    name: ReadOnly[str]
    given_name: ReadOnly[str]
    family_name: ReadOnly[str]
    middle_name: ReadOnly[str]
    nickname: ReadOnly[str]
    preferred_username: ReadOnly[str]
    profile: ReadOnly[str]
    picture: ReadOnly[str]
    website: ReadOnly[str]
    email: ReadOnly[str]
    email_verified: ReadOnly[bool]
    gender: ReadOnly[str]
    birthdate: ReadOnly[str]
    zoneinfo: ReadOnly[str]
    locale: ReadOnly[str]
    phone_number: ReadOnly[str]
    phone_number_verified: ReadOnly[bool]
    address: ReadOnly[Mapping[str, object]]
    updated_at: ReadOnly[float]
    auth_time: ReadOnly[float]
    acr: ReadOnly[str]
    amr: ReadOnly[list[str]]


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's membership in a space.

    :ivar id: Cobot's id for it.
    :ivar space: the space's subdomain.
    :ivar space_name: the space's name for people, if Cobot was just asked for it.
    """

    id: str
    space: str
    space_name: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What Cobot says about somebody in one space.

    :ivar membership: ``None`` if they are not a member.
    :ivar is_admin: whether they administer the space.
    :ivar asked_at: when Cobot said so, in seconds since the epoch.
    :ivar cobot_id: Cobot's id for the person, if Cobot was just asked.
    """

    membership: Membership | None
    is_admin: bool
    asked_at: int
    cobot_id: str | None = None


def new_login_id() -> str:
    """Three characters: it need not be secret, and every byte travels with every request."""
    return secrets.token_urlsafe(LOGIN_ID_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """One identity: a subject at an issuer (OIDC Core 2 and 5.7).

    Two users are equal if their issuers and subjects are; the email does not identify anybody, as people change it.

    :ivar issuer: the issuer that vouches for this user.
    :ivar subject: the issuer's name for the user: opaque, stable, and unique only at that issuer.
    :ivar space: the space that the user is logged in to, ``None`` for the global provider.
    :ivar kept_claims: the claims that the session keeps (``COBOT_OIDC_CLAIMS``).
    :ivar authenticated_at: when the login was completed, in seconds since the epoch.
    :ivar find_standing: tells what the user is in their space, if the app wants to know (``COBOT_OIDC_MEMBERSHIP``).
    :ivar login_id: tells this login from others of the same person, also within one second; says nothing else.
    """

    issuer: str
    subject: str
    space: str | None
    kept_claims: Mapping[str, object]
    authenticated_at: int
    find_standing: "Callable[[User], Standing | None] | None" = field(default=None, repr=False)
    login_id: str = field(default_factory=new_login_id, repr=False)

    is_authenticated: ClassVar[Literal[True]] = True  # Literal, as type checkers narrow by it

    @property
    def claims(self) -> StandardClaims:
        """The claims that the session keeps, with ``iss`` and ``sub``, also those beyond the standard; read-only."""
        return cast("StandardClaims", MappingProxyType({"iss": self.issuer, "sub": self.subject, **self.kept_claims}))

    @property
    def name(self) -> str | None:
        """The full name, to be shown."""
        return self._text("name")

    @property
    def email(self) -> str | None:
        """The email address, to write to. Cobot does not say whether it has been verified."""
        return self._text("email")

    @property
    def picture(self) -> str | None:
        """The https URL of a photo."""
        return self._text("picture")

    @property
    def phone_number(self) -> str | None:
        """A phone number as its owner wrote it: free text, not E.164."""
        return self._text("phone_number")

    @property
    def standing(self) -> Standing | None:
        """What Cobot says about the user in the space that they are logged in to; ``None`` if that is not known.

        Without a kept token the answer is as old as the login; with one, asking again may take a moment once in
        ``COBOT_OIDC_MEMBERSHIP_LIFETIME``. It is not known if ``COBOT_OIDC_MEMBERSHIP`` is not set, or Cobot cannot be
        asked.
        """
        return None if self.find_standing is None else self.find_standing(self)

    @property
    def membership(self) -> Membership | None:
        """The membership in the space that the user is logged in to; ``None`` also if ``standing`` is not known."""
        standing = self.standing
        return standing.membership if standing is not None else None

    @property
    def is_member(self) -> bool:
        """Whether the user is known to be a member of the space that they are logged in to; see ``membership``."""
        return self.membership is not None

    @property
    def is_admin(self) -> bool:
        """Whether the user is known to administer the space that they are logged in to; see ``membership``."""
        standing = self.standing
        return standing is not None and standing.is_admin

    def get_id(self) -> str:
        """Issuer and subject in one string, for use as a key in a database. No issuer contains a ``#``."""
        return f"{self.issuer}#{self.subject}"

    def _text(self, claim: str) -> str | None:
        value = self.kept_claims.get(claim)
        return value if isinstance(value, str) else None

    def __eq__(self, other: object) -> bool:
        # ``current_user`` is a proxy: it forwards comparisons, but on the right-hand side it arrives here itself.
        if not getattr(other, "is_authenticated", False):
            return False
        return (self.issuer, self.subject) == (getattr(other, "issuer", None), getattr(other, "subject", None))

    def __hash__(self) -> int:
        return hash((self.issuer, self.subject))


class AnonymousUser:
    """What ``current_user`` is while nobody is logged in to the request's space."""

    __slots__ = ()

    is_authenticated: ClassVar[Literal[False]] = False
    issuer = None
    subject = None
    space = None
    name = None
    email = None
    picture = None
    phone_number = None
    claims: ClassVar[StandardClaims] = cast("StandardClaims", MappingProxyType({}))
    authenticated_at = None
    standing = None
    membership = None
    is_member: ClassVar[Literal[False]] = False
    is_admin: ClassVar[Literal[False]] = False

    def get_id(self) -> None:
        """Always ``None``: an anonymous user has no id."""
        return


ANONYMOUS = AnonymousUser()
