"""Who is logged in, as the session remembers it: one identity for each issuer, side by side.

The session holds who, not how: see ``stored``. How a login gets into it is in ``beginnings``. Knows Flask's ``session``
and the session interface behind it (Flask's cookie, Flask-Session), and nothing of the protocol.
"""

from collections.abc import Iterable

from flask.sessions import SecureCookieSessionInterface, SessionInterface

from ..context import the_app, the_session
from ..errors import ConfigurationError
from .stored import KEY, Identity, Terms

NOTED_EACH = 12  # parts of the idle lifetime: that often a visit is written down, and a cookie set


def check_store(interface: SessionInterface) -> None:
    """A login needs a new session id: whoever planted the old one would be logged in too (S01).

    Flask's own cookie has no id: its content is the session. A store on the server has to be able to give a new one.

    :raises ConfigurationError: ``session_store_unsafe``.
    """
    if isinstance(interface, SecureCookieSessionInterface) or callable(getattr(interface, "regenerate", None)):
        return
    raise ConfigurationError(
        "session_store_unsafe",
        setting="session_interface",
        found=f"{type(interface).__module__}.{type(interface).__qualname__}",
        expected="flask-session>=0.7, Flask's own session cookie, or another store with a method regenerate(session)",
    )


def rotate() -> None:
    """Give a session in a server-side store a new id. Flask's own cookie needs none: the content is the session."""
    regenerate = getattr(the_app().session_interface, "regenerate", None)
    if regenerate is not None:
        regenerate(the_session())


def find(issuer: str, space: str | None, terms: Terms, *, now: float) -> Identity | None:
    """The identity that this browser has at this issuer and space, if the login is still valid.

    :param issuer: whose identity is asked for; one of another issuer never counts (M04, M05).
    :param space: the space that the identity has to be logged in to; ``None`` for the global provider.
    :param now: seconds since the epoch.
    """
    identity = Identity.read(issuer, the_session().get(KEY + issuer), terms)
    if identity is None or identity.user.space != space or not identity.is_alive(now, terms):
        return None
    return identity


def everyone(terms: Terms, *, now: float) -> list[Identity]:
    """Every login of this browser that is still alive, the earliest first. Writes no visit down."""
    alive = [identity for identity in by_issuer(terms).values() if identity.is_alive(now, terms)]
    return sorted(alive, key=lambda identity: identity.user.authenticated_at)


def note_visit(identity: Identity, terms: Terms, *, now: float) -> None:
    """Write down that the user was here: not each time, but often enough for the idle lifetime."""
    if terms.idle_lifetime is not None and identity.unseen_for(now) >= terms.idle_lifetime / NOTED_EACH:
        the_session()[KEY + identity.user.issuer] = identity._replace(seen_at=int(now)).stored(terms)


def end(terms: Terms, issuers: Iterable[str] | None = None) -> list[Identity]:
    """Forget the identities at these issuers, or all of them; with the last one goes everything in the session.

    :param issuers: ``None`` for every one.
    :returns: those that the session held, also if they had expired.
    """
    session, identities = the_session(), by_issuer(terms)
    ending = [issuer for issuer in (identities if issuers is None else issuers) if issuer in identities]
    if ending and len(ending) == len(identities):
        session.clear()
    for issuer in ending:
        session.pop(KEY + issuer, None)
    return [identities[issuer] for issuer in ending]


def logins(terms: Terms) -> list[Identity]:
    """What the session holds, alive or not."""
    return list(by_issuer(terms).values())


def by_issuer(terms: Terms) -> dict[str, Identity]:
    """What the session holds, alive or not, by the issuer of each."""
    stored = {key.removeprefix(KEY): value for key, value in the_session().items() if key.startswith(KEY)}
    read = {issuer: Identity.read(issuer, value, terms) for issuer, value in stored.items()}
    return {issuer: identity for issuer, identity in read.items() if identity is not None}
