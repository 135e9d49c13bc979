"""What every provider is told: where it is, who can log in there, which clients there are, and its private keys.

It is one JSON file for each provider. Clients are described by the names of OpenID Connect Dynamic Client Registration.
"""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
SECRET_METHODS = ("client_secret_post", "client_secret_basic", "client_secret_jwt")
METHODS = (*SECRET_METHODS, "private_key_jwt", "none")


@dataclass(frozen=True, slots=True)
class Person:
    """The one who logs in."""

    login: str = "ada"
    password: str = "Analytical-Engine-1843"
    given_name: str = "Ada"
    family_name: str = "Lovelace"
    email: str = "ada@example.org"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Client:
    """A registration of the app: there is one for each thing that a registration can say."""

    client_id: str
    method: str = "client_secret_post"
    algorithm: str = "RS256"
    must_push: bool = False
    signed_userinfo: bool = False
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    key: dict[str, Any] | None = field(default=None, repr=False)

    def registration(self, portal: str) -> dict[str, Any]:
        """As RFC 7591 describes a client of the app at this address."""
        described: dict[str, Any] = {
            "client_id": self.client_id,
            "client_name": "Portal",
            "redirect_uris": [f"{portal}/cobot/callback"],
            "post_logout_redirect_uris": [f"{portal}/cobot/logged-out"],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": "openid email profile",
            "token_endpoint_auth_method": self.method,
            "id_token_signed_response_alg": self.algorithm,
        }
        if self.method in SECRET_METHODS:
            described["client_secret"] = self.secret
        if self.key is not None:
            described["jwks"] = {"keys": [{name: self.key[name] for name in ("kty", "kid", "use", "alg", "n", "e")}]}
        if self.must_push:
            described["require_pushed_authorization_requests"] = True
        if self.signed_userinfo:
            described["userinfo_signed_response_alg"] = "RS256"
        return described

    @property
    def settings(self) -> dict[str, Any]:
        """What the app has to know of it, without the settings' prefix."""
        known: dict[str, Any] = {"CLIENT_ID": self.client_id, "CLIENT_AUTH": self.method, "ALGORITHMS": self.algorithm}
        if self.method in SECRET_METHODS:
            known["CLIENT_SECRET"] = self.secret
        if self.key is not None:
            known["CLIENT_KEY"] = self.key
        if self.must_push:
            known["PUSHED_AUTHORIZATION_REQUESTS"] = True
        if self.signed_userinfo:
            known["USERINFO"] = "signed"
        return known


def new_keys() -> list[dict[str, Any]]:
    """Private keys for every algorithm: one of each, as JWKs with a ``kid``."""
    keys: dict[str, RSAKey | ECKey | OKPKey] = {
        "RS256": RSAKey.generate_key(2048),
        "ES256": ECKey.generate_key("P-256"),
        "PS256": RSAKey.generate_key(2048),
        "EdDSA": OKPKey.generate_key("Ed25519"),
    }
    name = secrets.token_hex(4)
    return [
        {**key.as_dict(private=True), "kid": f"{algorithm}-{name}", "use": "sig", "alg": algorithm}
        for algorithm, key in keys.items()
    ]


def _clients() -> dict[str, Client]:
    keys = {"private_key_jwt": new_keys()[0]}
    clients = [
        *(Client(method, method=method, key=keys.get(method)) for method in METHODS),
        *(Client(algorithm, algorithm=algorithm) for algorithm in ALGORITHMS),
        Client("must_push", must_push=True),
        Client("signed_userinfo", signed_userinfo=True),
    ]
    return {client.client_id: client for client in clients}


@dataclass(slots=True)
class World:
    """One provider's: ``portal`` is the address of the app, ``issuer`` the provider's own."""

    portal: str
    issuer: str
    port: int
    folder: Path
    person: Person = field(default_factory=Person)
    clients: dict[str, Client] = field(default_factory=_clients)
    keys: list[dict[str, Any]] = field(default_factory=new_keys)

    @property
    def file(self) -> Path:
        """Where the provider reads all this."""
        return self.folder / "world.json"

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self) -> None:
        """Put it into the file."""
        person = {key: getattr(self.person, key) for key in self.person.__slots__}
        self.file.write_text(
            json.dumps(
                {
                    "issuer": self.issuer,
                    "origin": self.origin,
                    "port": self.port,
                    "folder": str(self.folder),
                    "person": {**person, "name": self.person.name},
                    "clients": [client.registration(self.portal) for client in self.clients.values()],
                    "keys": self.keys,
                },
                indent=2,
            ),
            encoding="utf-8",
        )
