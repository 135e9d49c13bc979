"""What it costs to know many issuers: memory for each, a full garbage collection, and the check of a token among them.

Documents are handed over without a network: what is measured is what is held, not how it is fetched.
"""

import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
from authlib.integrations.flask_client import OAuth
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask

from benchmarks.tables import ISSUERS
from cobot_oidc.protocol.id_token import Expected
from cobot_oidc.provider.http import HTTPClient, HTTPResponse
from cobot_oidc.provider.providers import Providers
from cobot_oidc.settings import ProviderSettings

MANY = 10_000
DIFFERENT_KEYS = 20  # under 10 000 names: to make more takes minutes, and they weigh the same
CLIENT_ID, NONCE = "portal", "n-0S6_WzA2MjK9pQ"
ROUNDS, CALLS = 25, 200

Hold = Callable[[int], object]


@cache
def key(number: int) -> rsa.RSAPrivateKey:
    del number  # tells keys apart
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def member(number: int) -> dict[str, Any]:
    jwk: dict[str, Any] = jwt.get_algorithm_by_name("RS256").to_jwk(key(number).public_key(), as_dict=True)
    return jwk | {"use": "sig", "alg": "RS256"}


def issuer(number: int) -> str:
    return f"https://space-{number}.cobot.example"


def metadata(number: int) -> dict[str, Any]:
    return {
        "issuer": issuer(number),
        "authorization_endpoint": f"{issuer(number)}/oauth/authorize",
        "token_endpoint": f"{issuer(number)}/oauth/access_token",
        "jwks_uri": f"{issuer(number)}/jwks.json",
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def key_set(number: int) -> dict[str, Any]:
    """One issuer's own keys."""
    return {"keys": [{**member(number % DIFFERENT_KEYS), "kid": f"key-{number}"}]}


def shared_key_set(_number: int) -> dict[str, Any]:
    """The keys of all, as the spaces of one provider have them."""
    return {"keys": [{**member(0), "kid": "key"}]}


def cobot_oidc(keys: Callable[[int], dict[str, Any]]) -> tuple[Providers, Hold]:
    """We."""

    def answer(_client: HTTPClient, url: str, **_: Any) -> HTTPResponse:
        number = int(url.partition("space-")[2].partition(".")[0])
        document = keys(number) if url.endswith("jwks.json") else metadata(number)
        return HTTPResponse(200, "application/json", "", None, json.dumps(document).encode())

    HTTPClient.get = answer  # type: ignore[assignment, method-assign] # instead of a network
    directory = Providers(ProviderSettings(most_issuers=2 * MANY), time.time, lambda *_: None)

    def hold(number: int) -> object:
        """Everything of this issuer: a login there has ended."""
        [named] = keys(number)["keys"]
        now = int(time.time())
        claims = {"iss": issuer(number), "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 3600, "nonce": NONCE}
        signing_key = key(0 if named["kid"] == "key" else number % DIFFERENT_KEYS)
        token = jwt.encode(claims, signing_key, algorithm="RS256", headers={"kid": named["kid"]})
        provider = directory.provider(issuer(number))
        provider.metadata()
        expected = Expected(issuer(number), CLIENT_ID, NONCE)
        return provider.verify(token, expected, access_token=None)

    return directory, hold


def pyjwt() -> Hold:
    """PyJWT: a PyJWKClient for each, and its keys."""
    held = []

    def hold(number: int) -> object:
        client = jwt.PyJWKClient(metadata(number)["jwks_uri"])
        assert client.jwk_set_cache is not None
        client.jwk_set_cache.put(jwt.PyJWKSet.from_dict(key_set(number)))
        held.append(client)
        return client.get_signing_key(f"key-{number}")

    return hold


def authlib() -> Hold:
    """Authlib's flask client: one registration for each, its document and its keys."""
    app = Flask("benchmark")
    app.secret_key = "s" * 32
    oauth = OAuth(app)

    def hold(number: int) -> object:
        client = oauth.register(
            f"space-{number}",
            client_id=CLIENT_ID,
            server_metadata_url=f"{issuer(number)}/.well-known/openid-configuration",
        )
        client.server_metadata |= json.loads(json.dumps({**metadata(number), "jwks": key_set(number)}))
        return client

    return hold


def weigh(hold: Hold) -> tuple[float, float]:
    """KiB for each issuer, and how many ms longer a full garbage collection takes."""
    hold(MANY)  # what is made once
    gc.collect()
    before_collection = _collection()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(MANY):
        hold(number)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return held / MANY / 1024, _collection() - before_collection


def _collection() -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        gc.collect()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def among_many() -> float:
    """How much longer the check of a token takes with all these issuers than with one."""
    (few, hold_few), (many, hold_many) = cobot_oidc(shared_key_set), cobot_oidc(shared_key_set)
    hold_few(0)
    for number in range(MANY):
        hold_many(number)
    now = int(time.time())
    claims = {"iss": issuer(0), "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 3600, "nonce": NONCE}
    token = jwt.encode(claims, key(0), algorithm="RS256", headers={"kid": "key"})
    expected = Expected(issuer(0), CLIENT_ID, NONCE)
    times: dict[Providers, list[float]] = {few: [], many: []}
    for _ in range(ROUNDS):
        for directory, measured in times.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                directory.provider(issuer(0)).verify(token, expected, access_token=None)
            measured.append(time.perf_counter() - start)
    return statistics.median(times[many]) / statistics.median(times[few])


def main() -> None:
    """Measure, and print one table."""
    rows: dict[str, Callable[[], Hold]] = {
        "cobot_oidc": lambda: cobot_oidc(key_set)[1],
        "cobot_oidc, spaces that share their keys": lambda: cobot_oidc(shared_key_set)[1],
        "PyJWT": pyjwt,
        "Authlib's flask client": authlib,
    }
    weights = {name: weigh(make()) for name, make in rows.items()}
    print(ISSUERS.filled([name, f"{kib:.2f}", f"{collection:.0f}"] for name, (kib, collection) in weights.items()))
    print(f"\nAmong {MANY} issuers the check of a token takes {among_many():.2f} × as long as with one.")


if __name__ == "__main__":
    main()
