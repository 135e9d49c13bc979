"""Somebody who is logged in, without a provider: what a login would have left in the session of a test client."""

from flask import Flask
from flask.testing import FlaskClient

from ..errors import ConfigurationError, LoginError
from ..identity import tokens
from ..identity.stored import KEY, Identity, Kept
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
    :raises LoginError: ``space_unknown`` for a space that the app does not serve.

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
    with app.app_context():
        held = None if token is None else tokens.keep(token, user)
    kept = Kept.of(space, token=held, standing=standing, granted=scopes, declined=(), cobot_id=None)
    with client.session_transaction() as session:
        session[KEY + user.issuer] = Identity(user, kept=kept).stored(installed.terms)
    return user


def log_out(client: FlaskClient) -> None:
    """Let a test client be logged in nowhere any more.

    :raises ConfigurationError: ``testing_only``.
    """
    testing_installation(client.application)
    with client.session_transaction() as session:
        for key in [key for key in session if key.startswith(KEY)]:
            del session[key]


def testing_installation(app: Flask) -> Installation:
    """The installation of an app that is being tested.

    :raises ConfigurationError: ``testing_only``: nobody is let in without a login elsewhere.
    """
    if not app.testing:
        raise ConfigurationError("testing_only", app=app.name)
    return installation(app)


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
