"""The people who can log in at the stand-in, and the spaces that they belong to."""

from dataclasses import dataclass, field

SPACES = {"co-up": "co.up Coworking", "betahaus": "Betahaus", "nebenan": "Nebenan"}


@dataclass(slots=True)
class Membership:
    """What one space knows about a member; each part may be missing."""

    id: str
    name: str | None
    picture: str | None = None
    phone_number: str | None = None


@dataclass(slots=True)
class Person:
    """Somebody with an account. Attributes may be changed while the stand-in runs.

    :ivar key: the name that tests and the login page use.
    :ivar subject: the ``sub`` of their id tokens, at every issuer.
    :ivar memberships: memberships by the space's subdomain.
    :ivar admin_of: subdomains of spaces.
    """

    key: str
    subject: str
    email: str
    name: str | None
    memberships: dict[str, Membership] = field(default_factory=dict)
    admin_of: tuple[str, ...] = ()


def everybody() -> dict[str, Person]:
    """A fresh copy of the people, by key."""
    people = [
        Person(
            "ada",
            "6f9d2c1b0a8e47d3b5c4e1f2a3d4c5b6",
            "ada@example.org",
            "Ada Lovelace",
            {"co-up": Membership("m-ada", "Ada Lovelace", "https://pictures.example/ada.jpg", "+49 30 1234567")},
        ),
        Person(
            "grace",
            "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "grace@example.org",
            "Grace Hopper",
            {
                "co-up": Membership(
                    "m-grace-1", "Grace Hopper", "https://pictures.example/grace.jpg", "030 / 77 88 99"
                ),
                "betahaus": Membership("m-grace-2", "Grace B. Hopper", "https://pictures.example/grace-b.jpg", "077"),
            },
        ),
        Person("alex", "user-langalex", "alex@example.org", "Alex Admin", admin_of=("co-up", "betahaus")),
        Person(
            "nina",
            "ffeeddccbbaa99887766554433221100",
            "nina@example.org",
            "Nina Neu",
            {"betahaus": Membership("m-nina", "Nina Neu", None, "")},
        ),
        Person(
            "haruki",
            "1234567890abcdef1234567890abcdef",
            "haruki@example.org",
            "村上 春樹",
            {"co-up": Membership("m-haruki", "村上 春樹", "https://pictures.example/haruki.jpg", "+81 3-1234-5678")},
        ),
    ]
    return {person.key: person for person in people}
