"""``python -m example_app`` runs the portal and the stand-in Cobot together until Ctrl-C, as ``make demo`` does."""

import os
import re
import secrets
import socket
from dataclasses import replace
from datetime import timedelta

from werkzeug.serving import WSGIRequestHandler, make_server

from cobot_oidc.standin import StandIn

from . import create_app

_WHAT_TO_TRY = """\
Open this one:  http://{at}/

There is no password: on the stand-in's page, choose who you want to be.
- Ada is a member of co.up: see her bookings there, book a room, and cancel it.
- Alex runs both spaces: open the people of a space, which Cobot asks him to allow once.
- Grace is a member of both, under two names: her profile lists where she belongs.

Inside Cobot, in a frame:  {space}/members
A host for each space:     {by_host}
Make Cobot misbehave:      {cobot}/stand-in
Press Ctrl-C to stop the portal and the stand-in."""


def main() -> None:
    """Run both, or say which port is taken."""
    wanted, standin_port = _wanted_port("PORT", 5000), _wanted_port("STANDIN_PORT", 5001)
    host = _wanted_host()
    try:
        _refuse_if_answered(wanted)
        listener = socket.create_server(("127.0.0.1", wanted))
    except OSError as error:
        raise SystemExit(f"Port {wanted} {_trouble(error)}. Choose another: make demo PORT=5100") from None
    port = listener.getsockname()[1]
    at = f"{host or 'localhost'}:{port}"
    cobot = StandIn(standin_port)
    secret = secrets.token_hex()
    cobot.register_client(
        "portal",
        secret=secret,
        redirect_uri=f"http://{at}/cobot/callback",
        name="Member portal",
        embed_url=f"http://{{space}}.{at}/" if host else f"http://{at}/{{space}}/",
    )
    try:
        _refuse_if_answered(standin_port)
        cobot.start()
    except OSError as error:
        listener.close()
        taken = f"Port {standin_port} {_trouble(error)}. Choose another: make demo STANDIN_PORT=5101"
        raise SystemExit(taken) from None
    _repeat_bookings(cobot)
    app = create_app(
        {
            "SECRET_KEY": secrets.token_hex(),
            "PORTAL_HOST": at if host else None,
            "COBOT_OIDC_CLIENT_ID": "portal",
            "COBOT_OIDC_CLIENT_SECRET": secret,
            "COBOT_OIDC_ISSUER": cobot.issuer,
            "COBOT_OIDC_SPACE_ISSUER": cobot.space_issuer_template,
        }
    )
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler, fd=listener.fileno())
    listener.close()
    try:
        by_host = f"http://co-up.{at}/" if host else "make demo PORTAL_HOST=portal.localhost"
        space = cobot.space_issuer("co-up")
        print(_WHAT_TO_TRY.format(at=at, cobot=cobot.issuer, space=space, by_host=by_host), flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
        cobot.stop()


def _repeat_bookings(cobot: StandIn) -> None:
    """Let everybody meet every week, so that there is more to see than fits on a page."""
    for space in cobot.spaces:
        bookings = cobot.world.of(space).bookings
        for booking in list(bookings.values()):
            for week in range(1, 9):
                later, id_ = timedelta(weeks=week), f"{booking.id}-week-{week}"
                bookings[id_] = replace(booking, id=id_, start=booking.start + later, end=booking.end + later)


class _Handler(WSGIRequestHandler):
    """Logs no requests, because the callback's URL contains the code of a login."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _wanted_port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise SystemExit(f"{variable} is {text!r}, but has to be a port: a number below 65536")


def _wanted_host() -> str | None:
    """The name below which each space has a host; ``None`` if spaces are in the path."""
    name = os.environ.get("PORTAL_HOST") or None
    if name is None or re.fullmatch(r"([a-z0-9-]+\.)+localhost", name):
        return name
    raise SystemExit(f"PORTAL_HOST is {name!r}, but has to be a name below localhost, such as portal.localhost")


def _refuse_if_answered(port: int) -> None:
    """If another program listens on all addresses, ours could still be bound, and browsers would reach either."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return
    raise OSError("another program already answers there")


def _trouble(error: OSError) -> str:
    return "may only be used by administrators" if isinstance(error, PermissionError) else "is taken"


if __name__ == "__main__":
    main()
