"""Who is logged in, as the app sees it. Knows no session, no request and no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """One identity: whom one issuer calls one subject (OIDC Core 2 and 5.7).

    Two users are equal when issuer and subject are; the email identifies nobody, as people change it.

    :ivar issuer: the issuer that vouches for this user.
    :ivar subject: the issuer's name for the user: opaque, stable, unique below that issuer only.
    :ivar space: the space that was logged in to, ``None`` for the global provider.
    :ivar kept_claims: the claims that the session keeps (``COBOT_OIDC_CLAIMS``).
    :ivar authenticated_at: when the login ended, in seconds since the epoch.
    """

    issuer: str
    subject: str
    space: str | None
    kept_claims: Mapping[str, object]
    authenticated_at: int

    is_authenticated: ClassVar[Literal[True]] = True  # Literal, as type checkers tell User and AnonymousUser by it

    @property
    def claims(self) -> Mapping[str, object]:
        """The claims that the session keeps, with ``iss`` and ``sub``; read-only."""
        return MappingProxyType({"iss": self.issuer, "sub": self.subject, **self.kept_claims})

    @property
    def name(self) -> str | None:
        """The full name, for showing it."""
        return self._text("name")

    @property
    def email(self) -> str | None:
        """The email address, for writing to it. Cobot does not say whether it is verified."""
        return self._text("email")

    @property
    def picture(self) -> str | None:
        """An https URL of a photo."""
        return self._text("picture")

    @property
    def phone_number(self) -> str | None:
        """A phone number as its owner wrote it: free text, not E.164."""
        return self._text("phone_number")

    def get_id(self) -> str:
        """Issuer and subject in one string, to be a key in a database. No issuer holds a ``#``."""
        return f"{self.issuer}#{self.subject}"

    def _text(self, claim: str) -> str | None:
        value = self.kept_claims.get(claim)
        return value if isinstance(value, str) else None

    def __eq__(self, other: object) -> bool:
        # ``current_user`` is a proxy: it hands comparisons on, but arrives here as itself on the right-hand side.
        if not getattr(other, "is_authenticated", False):
            return False
        return (self.issuer, self.subject) == (getattr(other, "issuer", None), getattr(other, "subject", None))

    def __hash__(self) -> int:
        return hash((self.issuer, self.subject))


class AnonymousUser:
    """Nobody: what ``current_user`` is while no one is logged in to the request's space."""

    __slots__ = ()

    is_authenticated: ClassVar[Literal[False]] = False
    issuer = None
    subject = None
    space = None
    name = None
    email = None
    picture = None
    phone_number = None
    claims: Mapping[str, object] = MappingProxyType({})
    authenticated_at = None

    def get_id(self) -> None:
        """Nobody has no id."""
        return


ANONYMOUS = AnonymousUser()
