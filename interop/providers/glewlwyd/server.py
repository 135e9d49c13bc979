"""Glewlwyd with a person, the clients and the keys of the file that is its first argument.

The second is the folder into which Debian's packages were unpacked. Glewlwyd is set up by its administration's API. The
plugin that is the OpenID provider comes last, so that its discovery document answers only when everything is there.
"""

import gzip
import json
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from tenacity import Retrying, stop_after_delay, wait_fixed

WORLD = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
ROOT = Path(sys.argv[2])
FOLDER = Path(WORLD["folder"])
WEBAPP = FOLDER / "webapp"
MODULES = ROOT / "usr/lib/glewlwyd"
SCOPES = ["openid", "profile", "email"]
TYPES = {".html": "text/html", ".css": "text/css", ".js": "application/javascript", ".json": "application/json"}

# What a client may have: one property has another name here than where the provider reads it, and one is missing.
LOGOUT_PROPERTY = '"post_logout_redirect_uri":{"multiple":false', '"post_logout_redirect_uris":{"multiple":true'
SIGN_KID = '"data-format":{"sign_kid":{"multiple":false,"read":true,"write":true},"redirect_uri"'

CONFIGURATION = f"""
port={WORLD["port"]}
bind_address="127.0.0.1"
external_url="{WORLD["origin"]}"
api_prefix="api"
login_url="login.html"
cookie_domain="127.0.0.1"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
log_mode="console"
log_level="WARNING"
hash_algorithm="SHA512"
static_files_path="{WEBAPP}/"
static_files_mime_types=({", ".join(f'{{extension="{name}" mime_type="{type_}"}}' for name, type_ in TYPES.items())})
user_module_path="{MODULES}/user"
client_module_path="{MODULES}/client"
user_auth_scheme_module_path="{MODULES}/scheme"
plugin_module_path="{MODULES}/plugin"
database={{ type="sqlite3" path="{FOLDER}/database.sqlite3" }};
"""


def lay_out() -> None:
    """Make what Debian's scripts would have made: the configuration, the database, and pages without symbolic links."""
    (FOLDER / "glewlwyd.conf").write_text(CONFIGURATION, encoding="utf-8")
    shutil.rmtree(WEBAPP, ignore_errors=True)
    shutil.copytree(ROOT / "usr/share/glewlwyd/webapp", WEBAPP, ignore=shutil.ignore_patterns("config.json"))
    shutil.copy(ROOT / "usr/share/glewlwyd/templates/config.json", WEBAPP)

    (FOLDER / "database.sqlite3").unlink(missing_ok=True)
    with gzip.open(ROOT / "usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz", "rt", encoding="utf-8") as script:
        text = script.read().replace(*LOGOUT_PROPERTY).replace('"data-format":{"redirect_uri"', SIGN_KID)
    with sqlite3.connect(FOLDER / "database.sqlite3") as database:
        database.executescript(text)


def furnish() -> None:
    """Make the scopes, the person, the clients, and at last the provider."""
    administration = requests.Session()

    def tell(method: str, path: str, what: dict[str, Any]) -> None:
        answer = administration.request(method, f"{WORLD['origin']}/api{path}", json=what, timeout=30)
        if answer.status_code != 200:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")

    for attempt in Retrying(wait=wait_fixed(0.1), stop=stop_after_delay(30), reraise=True):
        with attempt:
            tell("POST", "/auth/", {"username": "admin", "password": "password"})

    for scope in SCOPES:
        described = {"name": scope, "password_required": True, "password_max_age": 0, "scheme": {}}
        method, path = ("PUT", "/scope/openid") if scope == "openid" else ("POST", "/scope/")
        tell(method, path, described)
    person = WORLD["person"]
    ada = {"username": person["login"], "scope": SCOPES, "enabled": True}
    tell("POST", "/user/", ada | {key: person[key] for key in ("name", "email", "password")})
    for client in WORLD["clients"]:
        tell("POST", "/client/", as_glewlwyd_has_it(client))
    plugin = {"module": "oidc", "name": "oidc", "enabled": True, "parameters": PROVIDER}
    tell("POST", "/mod/plugin/", plugin | {"display_name": "OpenID Connect"})


def as_glewlwyd_has_it(client: dict[str, Any]) -> dict[str, Any]:
    """A client's registration, in Glewlwyd's own terms."""
    algorithm = client["id_token_signed_response_alg"]
    described = {
        "client_id": client["client_id"],
        "name": client["client_name"],
        "enabled": True,
        "confidential": client["token_endpoint_auth_method"] != "none",
        "token_endpoint_auth_method": [client["token_endpoint_auth_method"]],
        "authorization_type": ["code"],
        "redirect_uri": client["redirect_uris"],
        "post_logout_redirect_uris": client["post_logout_redirect_uris"],
        "scope": SCOPES,
        "sign_kid": next(key["kid"] for key in WORLD["keys"] if key["alg"] == algorithm),
    }
    return described | {key: client[key] for key in ("client_secret", "jwks") if key in client}


PROVIDER = {
    "iss": WORLD["issuer"],
    "subject-type": "public",
    "allowed-scope": SCOPES,
    "name-claim": "mandatory",
    "email-claim": "mandatory",
    "jwks-show": True,
    "jwks-private": json.dumps({"keys": WORLD["keys"]}),
    "default-kid": WORLD["keys"][0]["kid"],
    "client-sign_kid-parameter": "sign_kid",
    "client-jwks-parameter": "jwks",
    "request-parameter-allow": True,  # and with it, clients that authenticate with a JWT
    "request-maximum-exp": 3600,
    "pkce-allowed": True,
    "pkce-required": True,
    "oauth-as-iss-id": True,
    "oauth-par-allowed": True,
    "oauth-par-duration": 90,
    "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:",
    "session-management-allowed": True,
    "front-channel-logout-allowed": True,  # without it, its own page for logouts does not work
    "back-channel-logout-allowed": True,
    "session-cookie-name": "GLEWLWYD2_OIDC_SID",
    "session-cookie-expiration": 3600,
    "access-token-duration": 3600,
    "refresh-token-duration": 3600,
    "code-duration": 600,
    "allow-non-oidc": False,
    "auth-type-code-enabled": True,
    **{
        f"auth-type-{name}-enabled": False
        for name in ("implicit", "token", "password", "client", "refresh", "device", "none")
    },
}


def main() -> None:
    """Run it until it is told to stop; the signal goes to both processes."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # this process ends when Glewlwyd, which gets it too, has ended
    lay_out()
    libraries = ROOT / "usr/lib" / f"{platform.machine()}-linux-gnu"
    program = [str(ROOT / "usr/bin/glewlwyd"), "-c", str(FOLDER / "glewlwyd.conf")]
    with subprocess.Popen(program, env=os.environ | {"LD_LIBRARY_PATH": str(libraries)}) as glewlwyd:
        try:
            furnish()
        except BaseException:
            glewlwyd.kill()
            raise


if __name__ == "__main__":
    main()
