"""Base64url without padding, in its canonical form only (RFC 7515 section 2 and appendix C; RFC 4648 section 3.5)."""

from binascii import a2b_base64
from string import ascii_letters, digits

_ALPHABET = (ascii_letters + digits + "-_").encode()
_STANDARD = (ascii_letters + digits + "+/").encode()
# Maps to the alphabet that Python's strict decoder reads, and all else, including "+", "/" and "=", to what it refuses.
_TO_STANDARD = bytes(_STANDARD[_ALPHABET.index(byte)] if byte in _ALPHABET else ord("!") for byte in range(256))
_LAST = {0: None, 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
_PADDING = {0: b"", 2: b"==", 3: b"="}


def decode(text: bytes) -> bytes:
    """The bytes that this text encodes.

    :param text: characters of the base64url alphabet, no padding.
    :raises ValueError: for any other character, an impossible length, or unused bits that are not zero: each value
        has one encoding, so that no two texts mean the same token (J15).
    """
    rest = len(text) % 4
    if rest == 1:
        raise ValueError("impossible length")
    last = _LAST[rest]
    if last is not None and text[-1] not in last:
        raise ValueError("unused bits are not zero")
    return a2b_base64(text.translate(_TO_STANDARD) + _PADDING[rest], strict_mode=True)
