"""Somebody who is logged in, without a provider: what a login would have left in the session of a test client."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient

from ..context import the_session
from ..errors import ConfigurationError, LoginError
from ..identity import beginnings, sessions, tokens
from ..identity.stored import Identity, Kept
from ..identity.user import Membership, Standing, User
from ..installation import Installation, installation

SUBJECT = "6f9d2c1b0a8e47d3b5c4e1f2a3d4c5b6"


def log_in(
    client: FlaskClient,
    subject: str = SUBJECT,
    *,
    space: str | None = None,
    member: bool | str = False,
    admin: bool = False,
    token: str | None = None,
    scopes: tuple[str, ...] = (),
    **claims: object,
) -> User:
    """Let a test client be logged in, beside its logins at other spaces.

    :param client: the app's ``test_client()``.
    :param subject: who.
    :param space: the space to be logged in to; ``None`` for the global provider.
    :param member: whether they are a member of that space, or the id of their membership.
    :param admin: whether they run that space.
    :param token: an access token, if the app keeps one.
    :param scopes: those that were granted beyond the configured ones.
    :param claims: such as ``name="Ada Lovelace"``; those of ``COBOT_OIDC_CLAIMS``.
    :returns: the user, as ``current_user`` will be.
    :raises ConfigurationError: ``testing_only`` unless ``app.testing`` is set; ``setting_invalid`` for a claim that the
        app does not keep, or a token if it keeps none.
    :raises LoginError: ``space_unknown`` for a space that the app does not serve; ``session_too_large`` if a browser
        would drop the cookie.

    .. code-block:: python

        def test_members_see_their_desk(app):
            client = app.test_client()
            log_in(client, space="co-up", member=True, name="Ada Lovelace")
            assert "Ada Lovelace" in client.get("/co-up/desk").text
    """
    app = client.application
    installed = testing_installation(app)
    registration = installed.settings.issuers.registration_of(space)
    if registration is None:
        raise LoginError("space_unknown", space=space)
    _check_kept(installed, claims, token)
    now = int(installed.clock())
    user = User(registration.issuer, subject, space, claims, now, installed.terms.find_standing)
    standing = None
    if installed.settings.membership:
        name = member if isinstance(member, str) else f"membership of {subject}"
        standing = Standing(Membership(name, space or "") if member else None, admin, now)
    elif member or admin:
        raise ConfigurationError("setting_missing", setting="COBOT_OIDC_MEMBERSHIP", expected="True")
    with _session_of(client):
        held = None if token is None else tokens.keep(token, user)
        kept = Kept.of(space, token=held, standing=standing, granted=scopes, declined=(), cobot_id=None)
        beginnings.start(Identity(user, kept=kept), installed.terms)
    return user


def log_out(client: FlaskClient) -> None:
    """Let a test client be logged in nowhere any more. As after every logout, its session is empty then.

    :raises ConfigurationError: ``testing_only``.
    """
    installed = testing_installation(client.application)
    with _session_of(client):
        sessions.end(installed.terms)


def testing_installation(app: Flask) -> Installation:
    """The installation of an app that is being tested.

    :raises ConfigurationError: ``testing_only``: nobody is let in without a login elsewhere.
    """
    if not app.testing:
        raise ConfigurationError("testing_only", app=app.name)
    return installation(app)


@contextmanager
def _session_of(client: FlaskClient) -> Iterator[None]:
    """Let the session of a test client be that of this request. An error leaves it as it was."""
    with client.session_transaction() as stored, client.application.test_request_context():
        session = the_session()
        session.update(stored)
        yield
        stored.clear()
        stored.update(session)


def _check_kept(installed: Installation, claims: dict[str, object], token: str | None) -> None:
    unknown = [name for name in claims if name not in installed.terms.claims]
    if unknown:
        raise ConfigurationError(
            "setting_invalid",
            setting="COBOT_OIDC_CLAIMS",
            found=list(installed.terms.claims),
            expected=f"also {', '.join(unknown)}, as the session keeps no other claims",
        )
    if token is not None and not installed.settings.keep_token:
        raise ConfigurationError("setting_invalid", setting="COBOT_OIDC_KEEP_TOKEN", found=False, expected="True")
