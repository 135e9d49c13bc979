"""What it costs to verify an id token: we, the signature check alone, and the libraries that we are compared with.

Each figure is the median of interleaved rounds in one run, as a multiple of the check of the signature by cryptography
alone (1.0). Everybody verifies the same token with keys that were read before.
"""

import base64
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
from authlib.integrations.flask_client import OAuth
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from flask import Flask
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet as JoserfcKeySet

from benchmarks.tables import VERIFICATION
from cobot_oidc.protocol import KeySet, TokenError, verify_id_token

ISSUER, CLIENT_ID, NONCE = "https://www.cobot.me", "portal", "n-0S6_WzA2MjK9pQ"
NOW = int(time.time())
ACCESS_TOKEN = "a" * 64
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 25
CALLS = 400  # in a round

KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
# 12 claims; 924 bytes with RS256
CLAIMS = {
    "iss": ISSUER,
    "sub": "6f3b2f0c9d1e4a7b8c5d6e7f80910a2b",
    "aud": CLIENT_ID,
    "exp": NOW + 3600,
    "iat": NOW,
    "auth_time": NOW,
    "nonce": NONCE,
    "name": "Ada Lovelace",
    "email": "ada.lovelace@example.org",
    "email_verified": True,
    "picture": "https://assets.cobot.example/users/6f3b2f0c9d1e4a7b8c5d6e7f80910a2b/ada.png",
}

Verify = Callable[[], object]


def contestants(algorithm: str) -> dict[str, Verify]:
    """Functions that verify one token once."""
    key = KEYS[algorithm]
    member = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    member |= {"kid": "key-1", "alg": algorithm, "use": "sig"}
    document: Any = {"keys": [member]}
    claims = CLAIMS | {"at_hash": _at_hash(algorithm)}
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "key-1"})
    print(f"{algorithm}: {len(token)} bytes, {len(claims)} claims", file=sys.stderr)

    ours = KeySet.parse(json.dumps(document).encode())
    pyjwt = jwt.PyJWK(member)
    joserfc = JoserfcKeySet.import_key_set(document)
    checks = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": CLIENT_ID}
    )

    def verify_with_joserfc() -> None:
        checks.validate(joserfc_jwt.decode(token, joserfc, algorithms=[algorithm]).claims)

    return {
        "cryptography alone": _raw(algorithm, token),
        "cobot_oidc": lambda: verify_id_token(
            token,
            ours,
            issuer=ISSUER,
            client_id=CLIENT_ID,
            nonce=NONCE,
            now=NOW,
            algorithms=(algorithm,),
            access_token=ACCESS_TOKEN,
        ),
        "PyJWT": lambda: jwt.decode(token, pyjwt, algorithms=[algorithm], audience=CLIENT_ID, issuer=ISSUER),
        "joserfc": verify_with_joserfc,
        "Authlib's flask client": _authlib(algorithm, document, token),
        "cobot_oidc, junk": lambda: _refused(token.replace("ey", "e!", 1), ours),
    }


def _raw(algorithm: str, token: str) -> Verify:
    message, _, last = token.rpartition(".")
    signing_input, signature = message.encode(), base64.urlsafe_b64decode(last + "==")
    public = KEYS[algorithm].public_key()
    if algorithm == "EdDSA":
        return lambda: public.verify(signature, signing_input)
    if algorithm == "ES256":
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        ecdsa = ec.ECDSA(hashes.SHA256())
        return lambda: public.verify(der, signing_input, ecdsa)
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    return lambda: public.verify(signature, signing_input, pkcs1, sha256)


def _authlib(algorithm: str, document: dict[str, Any], token: str) -> Verify:
    app = Flask("benchmark")
    app.secret_key = "s" * 32
    client = OAuth(app).register(
        "cobot",
        client_id=CLIENT_ID,
        jwks=document,
        issuer=ISSUER,
        id_token_signing_alg_values_supported=[algorithm],
        authorize_url=f"{ISSUER}/authorize",
        access_token_url=f"{ISSUER}/token",
    )
    answer = {"id_token": token, "access_token": ACCESS_TOKEN}
    app.app_context().push()
    return lambda: client.parse_id_token(answer, nonce=NONCE)


def _refused(token: str, keys: KeySet) -> None:
    try:
        verify_id_token(token, keys, issuer=ISSUER, client_id=CLIENT_ID, nonce=NONCE, now=NOW)
    except TokenError:
        return
    raise AssertionError("junk was taken for a token")


def _at_hash(algorithm: str) -> str:
    digest = hashes.Hash(hashes.SHA512() if algorithm == "EdDSA" else hashes.SHA256())
    digest.update(ACCESS_TOKEN.encode())
    value = digest.finalize()
    return base64.urlsafe_b64encode(value[: len(value) // 2]).rstrip(b"=").decode()


def seconds(verify: Verify, calls: int = CALLS) -> float:
    """How long so many calls take."""
    start = time.perf_counter()
    for _ in range(calls):
        verify()
    return time.perf_counter() - start


def two_threads(verify: Verify) -> float:
    """How many times as much two threads verify in the same time."""
    calls = CALLS * 5

    def both() -> float:
        start = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: seconds(verify, calls), range(2)))
        return time.perf_counter() - start

    return statistics.median(2 * seconds(verify, calls) / both() for _ in range(5))


def main() -> None:
    """Measure, and print one table."""
    table: dict[str, dict[str, float]] = {}
    for algorithm in KEYS:
        functions = contestants(algorithm)
        times: dict[str, list[float]] = {name: [] for name in functions}
        for _ in range(ROUNDS):
            for name, verify in functions.items():
                times[name].append(seconds(verify))
        for name, measured in times.items():
            table.setdefault(name, {})[algorithm] = statistics.median(measured) / CALLS
        if algorithm == "RS256":
            scaling = {name: two_threads(functions[name]) for name in ("cobot_oidc", "cryptography alone")}
    raw = table["cryptography alone"]
    print(
        VERIFICATION.filled(
            [name, *(cell for a in KEYS for cell in (f"{row[a] / raw[a]:.2f}", f"{row[a] * 1e6:.1f}"))]
            for name, row in table.items()
        )
    )
    print(
        f"\nTwo threads verify {scaling['cobot_oidc']:.2f} × as many RS256 tokens as one; "
        f"with cryptography alone, {scaling['cryptography alone']:.2f} ×."
    )


if __name__ == "__main__":
    main()
