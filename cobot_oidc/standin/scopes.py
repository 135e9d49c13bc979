"""The scopes that apps may ask for, and what each allows, in words for the consent page (docs/cobot.md 4)."""

SCOPES = {
    "openid": "Know who you are",
    "email": "See your email address",
    "profile": "See your name",
    "read_user": "See your account, your memberships and the spaces that you manage",
    "read_spaces": "See the spaces that you belong to",
    "read_memberships": "See memberships",
    "write_memberships": "Change memberships",
    "read_resources": "See rooms and desks",
    "read_bookings": "See your bookings",
    "write_bookings": "Book and cancel rooms and desks for you",
    "read_invoices": "See your invoices",
    "read_check_ins": "See your check-ins",
    "write_check_ins": "Check you in",
    "read": "See everything that you can see",
    "write": "Change everything that you can change",
    "checkin": "Check you in",
}


def in_words(scope: str) -> str:
    """What a scope allows; its name, if it is an unknown one."""
    return SCOPES.get(scope, scope)
