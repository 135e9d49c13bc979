"""``python -m example_app``: the portal and the stand-in Cobot together, until Ctrl-C. What ``make demo`` runs."""

import os
import secrets
import socket
import sys

from werkzeug.serving import make_server

from cobot_oidc.standin import StandIn

from . import create_app


def main() -> None:
    """Run both, or say plainly which port is taken."""
    port, standin_port = int(os.environ.get("PORT", "5000")), int(os.environ.get("STANDIN_PORT", "5001"))
    cobot = StandIn(standin_port)
    secret = secrets.token_hex()
    cobot.register_client(
        "portal", secret=secret, redirect_uri=f"http://localhost:{port}/cobot/callback", name="Member portal"
    )
    try:
        cobot.start()
    except OSError:
        sys.exit(f"Port {standin_port} is taken. Choose another: make demo STANDIN_PORT=5101")
    app = create_app(
        {
            "SECRET_KEY": secrets.token_hex(),
            "COBOT_OIDC_CLIENT_ID": "portal",
            "COBOT_OIDC_CLIENT_SECRET": secret,
            "COBOT_OIDC_ISSUER": cobot.issuer,
            "COBOT_OIDC_SPACE_ISSUER": cobot.space_issuer_template,
        }
    )
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError:
        cobot.stop()
        sys.exit(f"Port {port} is taken. Choose another: make demo PORT=5100")
    server = make_server("127.0.0.1", port, app, threaded=True, fd=listener.fileno())
    listener.close()
    try:
        print(f"The member portal:   http://localhost:{port}/   (open this one)")
        print(f"The stand-in Cobot:  {cobot.issuer}/stand-in")
        print("Ctrl-C stops both.", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
        cobot.stop()


if __name__ == "__main__":
    main()
