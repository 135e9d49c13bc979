"""Id tokens that tell the provider whose session a logout ends there (OpenID Connect RP-Initiated Logout 1.0).

Kept only if the app logs people out at the provider too (``COBOT_OIDC_LOGOUT_AT_PROVIDER``): sealed for the login that
the token came with, in the session or in Redis. Nothing depends on a hint: without one, the provider asks the person.
"""

from base64 import urlsafe_b64encode

from .. import sealing
from ..errors import APIError
from ..protocol import base64url
from . import vault
from .user import User

LONGEST = 4096  # characters of an id token: it travels in a URL

_KIND = "hint"
_PURPOSE = "logout hint"
_LENGTH_BYTES = 2  # of the length of a segment


def keep(id_token: str, user: User) -> str | None:
    """Keep a verified id token.

    :returns: what the session has to hold; ``None`` for a token that is too long for a URL.
    """
    if len(id_token) > LONGEST:
        return None
    return vault.put(_KIND, sealing.seal(_packed(id_token), _PURPOSE, vault.login_of(user)))


def kept(held: str | None, user: User) -> str | None:
    """The id token that a session holds; ``None`` if there is none, or Redis has lost it or is away."""
    try:
        sealed = None if held is None else vault.get(_KIND, held)
    except APIError:  # nobody waits for a hint
        return None
    plain = None if sealed is None else sealing.opened(sealed, _PURPOSE, vault.login_of(user))
    return None if plain is None else _unpacked(plain)


def forget(held: str | None) -> None:
    """Forget an id token, as far as it is not in the session."""
    vault.forget(_KIND, held)


def _packed(id_token: str) -> bytes:
    """The bytes of its three segments: base64url of base64url would take a third more of a cookie."""
    segments = [base64url.decode(segment.encode()) for segment in id_token.split(".")]
    return b"".join(len(segment).to_bytes(_LENGTH_BYTES) + segment for segment in segments)


def _unpacked(packed: bytes) -> str:
    segments = []
    while packed:
        end = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES])
        segments.append(urlsafe_b64encode(packed[_LENGTH_BYTES:end]).rstrip(b"=").decode())
        packed = packed[end:]
    return ".".join(segments)
