"""Base64url without padding, canonical and nothing else (RFC 7515 section 2 and appendix C; RFC 4648 section 3.5)."""

from binascii import a2b_base64

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST = {0: None, 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
_PADDING = {0: b"", 2: b"==", 3: b"="}


def decode(text: str) -> bytes:
    """The bytes that this text encodes.

    :param text: characters of the base64url alphabet, no padding.
    :raises ValueError: for any other character, an impossible length, or unused bits that are not zero: each value
        has one encoding, so that no two texts mean the same token (security.md J15).
    """
    if not text.isascii() or (data := text.encode("ascii")).translate(None, ALPHABET):
        raise ValueError("not base64url")
    return decode_alphabet(data)


def decode_alphabet(text: bytes) -> bytes:
    """As ``decode``, for ASCII text that the caller knows to hold nothing but ``ALPHABET``."""
    rest = len(text) % 4
    if rest == 1:
        raise ValueError("impossible length")
    last = _LAST[rest]
    if last is not None and text[-1] not in last:
        raise ValueError("unused bits are not zero")
    return a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + _PADDING[rest])
