"""Each value has one encoding (J15; RFC 7515 section 2, RFC 4648 section 3.5)."""

import base64

import pytest

from cobot_oidc.protocol import base64url

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("length", range(8))
def test_what_was_encoded_is_decoded(length: int) -> None:
    for first in (0, 1, 62, 63, 127, 128, 251, 254, 255):
        data = bytes((first + 37 * place) % 256 for place in range(length))
        assert base64url.decode(base64.urlsafe_b64encode(data).rstrip(b"=")) == data


@pytest.mark.parametrize("prefix", [b"", b"AAAA", b"_-_-"])
@pytest.mark.parametrize(("encoding", "last"), [(b"A", b"AQgw"), (b"AA", b"AEIMQUYcgkosw048")])
def test_unused_bits_are_zero(prefix: bytes, encoding: bytes, last: bytes) -> None:
    for character in ALPHABET:
        text = prefix + encoding + bytes([character])
        if character in last:
            assert base64.urlsafe_b64encode(base64url.decode(text)).rstrip(b"=") == text
        else:
            with pytest.raises(ValueError, match="unused"):
                base64url.decode(text)


@pytest.mark.parametrize(
    "text", [b"A", b"AAAAA", b"AAA=", b"AA==", b"=", b"AA+A", b"AA/A", b"AA A", b"AA\nAA", b"AA.A"]
)
def test_nothing_else_is_base64url(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason
        base64url.decode(text)


@pytest.mark.parametrize("character", sorted(set(range(256)) - set(ALPHABET)))
def test_no_character_of_another_alphabet(character: int) -> None:
    for text in (b"AAA" + bytes([character]), bytes([character]) + b"AAA"):
        with pytest.raises(ValueError):  # noqa: PT011 - as above
            base64url.decode(text)
