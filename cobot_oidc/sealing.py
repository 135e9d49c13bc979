"""Sealing what leaves this app, in cookies or in Redis: AES-256-GCM under keys derived from the app's secret keys.

Each purpose has a key of its own (HKDF, RFC 5869), and each sealed text is bound to its context: altered, moved
elsewhere, or sealed by another app, it cannot be opened.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from .protocol import base64url

_NONCE_BYTES = 12


def seal(plain: bytes, purpose: str, context: str) -> str:
    """Seal some bytes.

    :param purpose: what they are for.
    :param context: what they belong to, which has to be known to open them.
    :returns: base64url.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_keys(purpose)[0]).encrypt(nonce, plain, context.encode())
    return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()


def opened(text: str, purpose: str, context: str) -> bytes | None:
    """The bytes that were sealed for the same purpose and context; ``None`` if these were not."""
    try:
        sealed = base64url.decode(text.encode("ascii"))
    except ValueError:
        return None
    for key in _keys(purpose):
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            continue
    return None


def _keys(purpose: str) -> Sequence[bytes]:
    """One key for each secret key of the app: the newest one seals, all of them open (S04)."""
    fallbacks = current_app.config.get("SECRET_KEY_FALLBACKS") or ()
    return [_derived(key, purpose) for key in (current_app.secret_key, *fallbacks) if key]


@lru_cache(maxsize=64)
def _derived(key: str | bytes, purpose: str) -> bytes:
    material = key.encode() if isinstance(key, str) else key
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"cobot_oidc {purpose}".encode()).derive(material)
