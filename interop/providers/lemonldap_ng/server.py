"""LemonLDAP::NG with a person, the clients and the first key of the file that is its first argument.

The second is the folder into which Debian's packages were unpacked. What its manager would write is written here: one
file of configuration. Its pages are served by Plack's own server, as there is no web server in front.
"""

import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

WORLD = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
ROOT = Path(sys.argv[2])
FOLDER = Path(WORLD["folder"])
SHARE = ROOT / "usr/share/lemonldap-ng/portal"
PERSON = WORLD["person"]
CLAIMS = {name: name for name in ("name", "given_name", "family_name", "email")}

SETTINGS = f"""
[all]
logLevel = warn
[configuration]
type = File
dirName = {FOLDER}
[portal]
staticPrefix = /static
templateDir = {SHARE}/templates
languages = en
"""

PROGRAM = f"""
use Plack::Builder;
use Lemonldap::NG::Portal::Main;
builder {{
    enable "Static", path => sub {{ s!^/static/!! }}, root => "{SHARE}/htdocs/static";
    enable "Static", path => sub {{ s!^/javascript/!! }}, root => "{ROOT}/usr/share/javascript";
    Lemonldap::NG::Portal::Main->run({{}});
}};
"""


def configuration() -> dict[str, Any]:
    """The portal, the people's database, and the provider."""
    key = RSAKey.import_key(next(key for key in WORLD["keys"] if key["alg"] == "RS256"))
    names = [client["client_id"].lower() for client in WORLD["clients"]]
    return {
        "cfgNum": 1,
        "cfgDate": 1,
        "domain": "127.0.0.1",
        "portal": f"{WORLD['origin']}/",
        "securedCookie": 0,
        "key": "a key for sessions that live for a minute",
        "authentication": "DBI",
        "userDB": "Same",
        "passwordDB": "Null",
        "registerDB": "Null",
        "dbiAuthChain": f"dbi:SQLite:dbname={FOLDER}/people.sqlite3",
        "dbiAuthTable": "people",
        "dbiAuthLoginCol": "login",
        "dbiAuthPasswordCol": "password",
        "dbiExportedVars": CLAIMS | {"uid": "login"},
        "whatToTrace": "uid",
        "locationRules": {"127.0.0.1": {"default": "accept"}},
        "exportedHeaders": {},
        **_storage("globalStorage", "sessions"),
        **_storage("persistentStorage", "remembered"),
        "localSessionStorage": "",
        "issuerDBOpenIDConnectActivation": 1,
        "oidcServiceMetaDataIssuer": WORLD["issuer"],
        "oidcServiceAllowAuthorizationCodeFlow": 1,
        "oidcServicePrivateKeySig": key.as_pem(private=True).decode(),
        "oidcServicePublicKeySig": key.as_pem(private=False).decode(),
        "oidcServiceKeyIdSig": key.kid,
        "oidcRPMetaDataOptions": dict(zip(names, map(as_it_has_it, WORLD["clients"]), strict=True)),
        "oidcRPMetaDataExportedVars": dict.fromkeys(names, CLAIMS),
    }


def as_it_has_it(client: dict[str, Any]) -> dict[str, Any]:
    """A client's registration, in the provider's own terms."""
    described = {
        "ClientID": client["client_id"],
        "ClientSecret": client.get("client_secret", ""),
        "DisplayName": client["client_name"],
        "Public": int(client["token_endpoint_auth_method"] == "none"),
        "RedirectUris": " ".join(client["redirect_uris"]),
        "PostLogoutRedirectUris": " ".join(client["post_logout_redirect_uris"]),
        "UserIDAttr": "uid",
        "IDTokenSignAlg": client["id_token_signed_response_alg"],
        "IDTokenForceClaims": 1,
        "UserInfoSignAlg": client.get("userinfo_signed_response_alg", ""),
        "RequirePKCE": 1,
    }
    return {f"oidcRPMetaDataOptions{name}": value for name, value in described.items()}


def _storage(name: str, folder: str) -> dict[str, Any]:
    place = FOLDER / folder
    shutil.rmtree(place, ignore_errors=True)  # with it, whom it knew, and what they had consented to
    (place / "lock").mkdir(parents=True, exist_ok=True)
    return {
        name: "Apache::Session::File",
        f"{name}Options": {
            "Directory": str(place),
            "LockDirectory": str(place / "lock"),
            "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
        },
    }


def furnish() -> None:
    """Write its files, and the person into a database."""
    (FOLDER / "lemonldap-ng.ini").write_text(SETTINGS, encoding="utf-8")
    (FOLDER / "lmConf-1.json").write_text(json.dumps(configuration()), encoding="utf-8")
    (FOLDER / "portal.psgi").write_text(PROGRAM, encoding="utf-8")
    (FOLDER / "people.sqlite3").unlink(missing_ok=True)
    with sqlite3.connect(FOLDER / "people.sqlite3") as database:
        database.execute("CREATE TABLE people (login, password, name, given_name, family_name, email)")
        database.execute(
            "INSERT INTO people VALUES (:login, :password, :name, :given_name, :family_name, :email)", PERSON
        )


if __name__ == "__main__":
    furnish()
    libraries = ROOT / "usr/lib" / f"{platform.machine()}-linux-gnu"
    environment = {
        "PERL5LIB": ":".join(map(str, [ROOT / "usr/share/perl5", *(libraries / "perl5").iterdir()])),
        "LD_LIBRARY_PATH": str(libraries),
        "LLNG_DEFAULTCONFFILE": str(FOLDER / "lemonldap-ng.ini"),
    }
    program = ["/usr/bin/perl", str(ROOT / "usr/bin/plackup"), "--host", "127.0.0.1", "--port", str(WORLD["port"])]
    sys.exit(subprocess.call([*program, str(FOLDER / "portal.psgi")], env=os.environ | environment))
