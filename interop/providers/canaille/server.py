"""Canaille with a person, the clients and the keys of the file that is its argument.

Runs in an environment of its own.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from flask import Flask
from werkzeug.serving import run_simple

WORLD = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
DATABASE = Path(WORLD["folder"]) / "database.sqlite3"

# Of several keys that fit an algorithm's type it takes any one, and fails if that one is meant for another algorithm.
KEYS = [{name: key[name] for name in key if name != "alg"} for key in WORLD["keys"] if key["alg"] != "PS256"]

CONFIGURATION = {
    "SECRET_KEY": "a key for sessions that live for a minute",
    "SERVER_NAME": f"127.0.0.1:{WORLD['port']}",
    "PREFERRED_URL_SCHEME": "http",
    "CANAILLE": {"DATABASE": "sql", "JAVASCRIPT": False, "HTMX": False},
    "CANAILLE_SQL": {"DATABASE_URI": f"sqlite:///{DATABASE}"},
    "CANAILLE_OIDC": {"ACTIVE_JWKS": KEYS},
}


def furnish(app: Flask) -> None:
    """Make the tables, the person and the clients."""
    Backend.instance.install(app)
    person = WORLD["person"]
    ada = models.User(
        user_name=person["login"],
        given_name=person["given_name"],
        family_name=person["family_name"],
        formatted_name=person["name"],
        emails=[person["email"]],
        password=person["password"],
    )
    Backend.instance.save(ada)
    for client in WORLD["clients"]:
        one = models.Client(**as_canaille_has_it(client))
        Backend.instance.save(one)
        one.audience = [one]  # as Canaille's own form does; without it, id tokens are for nobody
        Backend.instance.save(one)


def as_canaille_has_it(client: dict[str, Any]) -> dict[str, Any]:
    """A client's registration, as Canaille's model wants it."""
    changes = {
        "client_id_issued_at": datetime.now(UTC),
        "scope": client["scope"].split(),
        "jwks": json.dumps(client["jwks"]) if "jwks" in client else None,
    }
    return {name: value for name, value in (client | changes).items() if name in models.Client.attributes}


if __name__ == "__main__":
    DATABASE.unlink(missing_ok=True)
    app = create_app(config=CONFIGURATION)
    with app.app_context():
        furnish(app)
    run_simple("127.0.0.1", WORLD["port"], app, threaded=True)
