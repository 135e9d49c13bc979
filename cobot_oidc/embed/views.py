"""The pages that bring a login into a frame: the button in it, the window that logs in, and the ticket's way back.

The provider refuses to be framed, so it is shown in a window that a click opens. That window hands a ticket to the page
that opened it, and to no other; nobody can ask the server whether a login is done (E02).
"""

import re
from functools import partial
from typing import Any

from flask import after_this_request, redirect, request, url_for
from werkzeug.wrappers import Response

from .. import urls
from ..errors import LoginError
from ..failures import rendered
from ..identity import beginnings, logout_marks, sessions
from ..identity.current import forget_user, identity_of, pin_space, requested_space, requested_user
from ..identity.stored import Identity
from ..installation import installation
from ..urls import Destination
from . import tickets
from .context import embed, is_for_somebody_else, known_secrets, name_of, secret
from .frames import in_frame

JUST_NOW = 60  # seconds: somebody who logged in so recently is not sent to log in again
LONGEST_TICKET = 8192  # characters

_FRAME = re.compile(r"[0-9a-f]{43}")


def embedded() -> Response:
    """In the frame: a button that opens the window."""
    destination = _destination()
    frame_secret = secret()
    if frame_secret is None:  # a page of its own, where people log in as always
        urls.offer_login(destination)
        return redirect(urls.login_url() or "", 302)
    hint = embed()
    page = rendered(
        "cobot_oidc/embedded.html",
        window_url=url_for(
            "cobot_oidc.frame",
            frame=name_of(frame_secret),
            space=destination.space or "",
            user=hint.user_id if hint is not None else None,
            grant=destination.grant,
        ),
        redeem_url=url_for("cobot_oidc.redeem"),
        again_url=url_for("cobot_oidc.embedded", **{**_arguments(), "failed": "once"}),
        has_failed="failed" in request.args,
        next_url=urls.after_login(destination),
        is_for_somebody_else=_is_other_person_here(),
    )
    return _with_policy(page)


def frame() -> Response:
    """In the window: the login, unless there is one, and then the ticket for the frame that opened it."""
    destination, name = _destination(), request.args.get("frame", "")
    if not _FRAME.fullmatch(name):
        raise LoginError("ticket_refused", reason="no frame")
    identity = _logged_in()
    if identity is None or destination.grant is not None or _is_to_log_in_again(identity) or _is_too_old(identity):
        back = url_for("cobot_oidc.frame", frame=name, space=request.args.get("space"), user=request.args.get("user"))
        urls.offer_login(Destination(destination.space, back, destination.grant))
        return redirect(urls.login_url() or "", 302)
    if _is_another_person(identity):
        raise LoginError("frame_of_somebody_else")
    return _with_policy(
        rendered("cobot_oidc/frame.html", ticket=tickets.issue(identity, name)), "frame-ancestors 'none'"
    )


def redeem() -> Response:
    """From the frame: its own session, for the login that the ticket brings."""
    frames, ticket = [name_of(each) for each in known_secrets()], request.form.get("ticket", "")
    if not frames or not urls.is_same_origin() or len(ticket) > LONGEST_TICKET:
        raise LoginError("ticket_refused", reason="not from a frame of this app")
    installed = installation()
    identity = tickets.redeem(ticket, frames)
    registration = installed.settings.issuers.registration_of(identity.user.space)
    if registration is None or registration.issuer != identity.user.issuer:
        raise LoginError("ticket_refused", reason="the app's issuers have changed")
    if is_for_somebody_else(identity):
        raise LoginError("frame_of_somebody_else")
    beginnings.start(identity, installed.terms)
    forget_user()
    if logout_marks.are_marked():  # somebody has logged out in this frame, and is back
        valid_from = {identity.user.issuer: identity.user.authenticated_at}
        after_this_request(partial(logout_marks.mark, valid_from))
    installed.events.tell("frame_logged_in", identity.user.issuer)
    return Response(status=204)


def _with_policy(page: Response, *more: str) -> Response:
    """Nothing but this app's own style, logo, script and ``fetch``."""
    own = [f"{kind}-src 'self'" for kind in ("style", "img", "script", "connect")]
    page.headers["Content-Security-Policy"] = "; ".join(("default-src 'none'", *own, "base-uri 'none'", *more))
    return page


def _arguments() -> dict[str, Any]:
    return {name: request.args[name] for name in ("space", "next", "grant") if name in request.args}


def _destination() -> Destination:
    if "space" in request.args:
        pin_space(request.args["space"] or None)
    return Destination(requested_space(), urls.checked_next(request.args.get("next")), request.args.get("grant"))


def _logged_in() -> Identity | None:
    user = requested_user()
    return identity_of(user) if user.is_authenticated else None


def _is_to_log_in_again(identity: Identity) -> bool:
    """Whether somebody else is expected, who may be logged in at Cobot by now; only once, or it would go in circles."""
    is_recent = installation().clock() - identity.user.authenticated_at <= JUST_NOW
    return _is_another_person(identity) and not is_recent


def _is_too_old(identity: Identity) -> bool:
    """Whether a guard in the frame would ask for another login at once: this one is from before the app's setting."""
    return installation().settings.membership and not identity.kept.can_tell_standing


def _is_another_person(identity: Identity) -> bool:
    expected = request.args.get("user")
    return expected is not None and expected not in (identity.user.subject, identity.kept.cobot_id)


def _is_other_person_here() -> bool:
    """Whether somebody is logged in in this frame, but not whom Cobot shows it to."""
    now, terms = installation().clock(), installation().terms
    return in_frame() and any(one.is_alive(now, terms) and is_for_somebody_else(one) for one in sessions.logins(terms))
