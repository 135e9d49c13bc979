"""Whether a refreshed id token is about the login that it came for: OIDC Core 12.2.

Apart from these rules it is an id token like any other, issued now, except that it need not repeat the login's nonce.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import TokenError
from .id_token import RULES

REFRESHED_RULES = tuple(rule for rule in RULES if rule.about != "nonce")


class Original(NamedTuple):
    """What the id token of the login said.

    :ivar auth_time: ``None`` if it said nothing.
    :ivar nonce: ``nonce_hash`` of the login's nonce.
    :ivar azp: whether it named an authorized party, which was our client then.
    """

    subject: str
    auth_time: float | None
    nonce: str
    azp: bool

    def check(self, claims: Mapping[str, object]) -> None:
        """Compare a refreshed id token, of which issuer and audience have been checked.

        :raises TokenError: ``subject_changed``, ``authentication_changed``, ``nonce_mismatch`` or
            ``authorized_party_mismatch``.
        """
        if claims.get("sub") != self.subject:
            raise TokenError("subject_changed")
        if "auth_time" in claims and self.auth_time is not None and claims["auth_time"] != self.auth_time:
            raise TokenError("authentication_changed", expected=self.auth_time, got=claims["auth_time"])
        nonce = claims.get("nonce")
        if nonce is not None and not (
            isinstance(nonce, str) and hmac.compare_digest(nonce_hash(nonce).encode(), self.nonce.encode())
        ):
            raise TokenError("nonce_mismatch")
        if "azp" in claims and not self.azp:
            raise TokenError("authorized_party_mismatch", expected="no azp", got=claims["azp"])


def nonce_hash(nonce: str) -> str:
    """What is remembered of a nonce after the login: 22 characters of its SHA-256."""
    return urlsafe_b64encode(hashlib.sha256(nonce.encode(errors="replace")).digest())[:22].decode()
