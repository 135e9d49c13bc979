"""The stand-in's signing keys: which are published, and which one signs."""

import itertools
import threading
from typing import Any, TypeAlias

from joserfc.jwk import ECKey, OKPKey, RSAKey

SigningKey: TypeAlias = RSAKey | ECKey | OKPKey

_made: list[
    RSAKey
] = []  # RSA keys are slow to make, so all stand-ins of this process use the same ones in the same order
_making = threading.Lock()


def rsa_key(number: int) -> RSAKey:
    """The process's RSA key with this number, made when it is first needed."""
    with _making:
        while len(_made) <= number:
            _made.append(RSAKey.generate_key(2048, private=True, auto_kid=False))
        return _made[number]


class SigningKeys:
    """A key set that can be rotated. This class is thread-safe.

    :ivar algorithm: the algorithm that signs id tokens.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._published: dict[str, SigningKey] = {}
        self.algorithm = "RS256"
        self.rotate()

    def rotate(self, *, keep_old: bool = True, kid: str | None = None) -> str:
        """Sign with a new RSA key from now on, and publish it.

        :param keep_old: keep the older keys published.
        :param kid: its name; by default a new one. A key that already has this name is replaced.
        :returns: the new key's kid.
        """
        number = next(self._numbers)
        return self.use(rsa_key(number), kid=kid or f"key-{number + 1}", keep_old=keep_old)

    def use(self, key: SigningKey, *, kid: str, algorithm: str = "RS256", keep_old: bool = True) -> str:
        """Sign with this key from now on, and publish it."""
        published = dict(self._published) if keep_old else {}
        self._published = published | {kid: key}
        self.kid = kid
        self.algorithm = algorithm
        return kid

    @property
    def signing_key(self) -> SigningKey:
        """The private key that currently signs."""
        return self._published[self.kid]

    def document(self) -> dict[str, Any]:
        """The public key set (RFC 7517 section 5)."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig", **self._alg(kid, key)}
                for kid, key in self._published.items()
            ]
        }

    def _alg(self, kid: str, key: SigningKey) -> dict[str, str]:
        if kid == self.kid:
            return {"alg": self.algorithm}
        return {"alg": "RS256"} if isinstance(key, RSAKey) else {}
