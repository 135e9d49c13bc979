"""Base64url without padding, canonical and nothing else (RFC 7515 section 2 and appendix C; RFC 4648 section 3.5)."""

import re
from base64 import urlsafe_b64decode

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_LAST = {0: None, 2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
_PADDING = {0: "", 2: "==", 3: "="}


def decode(text: str) -> bytes:
    """The bytes that this text encodes.

    :param text: characters of the base64url alphabet, no padding.
    :raises ValueError: for any other character, an impossible length, or unused bits that are not zero: each value
        has one encoding, so that no two texts mean the same token (security.md J15).
    """
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    return decode_alphabet(text)


def decode_alphabet(text: str) -> bytes:
    """As ``decode``, for text whose alphabet the caller has checked already."""
    rest = len(text) % 4
    if rest == 1:
        raise ValueError("impossible length")
    last = _LAST[rest]
    if last is not None and text[-1] not in last:
        raise ValueError("unused bits are not zero")
    return urlsafe_b64decode(text + _PADDING[rest])
