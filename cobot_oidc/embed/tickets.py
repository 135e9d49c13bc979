"""The ticket that brings a login from a window of its own into a frame: sealed, for one frame, once, for a minute."""

import hashlib
import json
import secrets
from collections.abc import Iterable

from .. import sealing
from ..errors import LoginError
from ..identity.stored import Identity
from ..installation import installation
from ..login.used_states import UsedStates

LIFETIME = 60  # seconds

_PURPOSE = "frame ticket"
_NAME_BYTES = 16


def issue(identity: Identity, frame: str) -> str:
    """A ticket for this login and this frame.

    :param frame: the frame's name, as ``context.name_of`` makes it.
    """
    installed = installation()
    content = [
        identity.user.issuer,
        identity.without_hint().stored(installed.terms),  # no provider's page is shown in a frame
        secrets.token_urlsafe(_NAME_BYTES),
        int(installed.clock()),
    ]
    return sealing.seal(json.dumps(content).encode(), _PURPOSE, frame)


def redeem(ticket: str, frames: Iterable[str]) -> Identity:
    """The login that a ticket brings. It counts once.

    :param frames: the names that the frame may have that brings the ticket.
    :raises LoginError: ``ticket_refused`` for a ticket of another frame or app, an old one, or one that was redeemed.
    """
    installed, opened = installation(), (sealing.opened(ticket, _PURPOSE, frame) for frame in frames)
    plain = next((content for content in opened if content is not None), None)
    if plain is None:
        raise LoginError("ticket_refused", reason="not a ticket for this frame")
    issuer, stored, name, issued_at = json.loads(plain)
    now = installed.clock()
    if not abs(now - issued_at) <= LIFETIME:
        raise LoginError("ticket_refused", reason="too old")
    identity = Identity.read(issuer, stored, installed.terms)
    if identity is None or not identity.is_alive(now, installed.terms) or identity in installed.ended_logins:
        raise LoginError("ticket_refused", reason="the login has ended")
    # A memory of their own: nobody without tickets fills it.
    redeemed = installed.once("tickets", lambda: UsedStates(installed.store()))
    if not redeemed.claim(f"ticket {hashlib.sha256(name.encode()).hexdigest()}", now):
        raise LoginError("ticket_refused", reason="redeemed before")
    return identity
