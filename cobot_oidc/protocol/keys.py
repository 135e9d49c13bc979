"""Key sets: which keys may verify a signature, and for which algorithm (RFC 7517, RFC 7518 section 6, RFC 8037, 9864).

An unusable member is skipped and counted, so that one bad key does not prevent logins; a weak, private or symmetric key
is never reachable. Keys are made into objects of the cryptography library only once, when the set is read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import InvalidKeyError

from ..errors import ProviderError
from . import base64url
from .strict_json import JSONError, loads

LARGEST_DOCUMENT = 64 * 1024  # bytes
MOST_KEYS = 50
LONGEST_KID = 256  # characters
RSA_BITS = range(2048, 8193)
RSA_EXPONENTS = range(65537, 2**32, 2)  # odd; longer exponents make verification slow

ALGORITHMS_OF = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
}
# ``EdDSA`` works with any curve, ``Ed25519`` only with this one (RFC 9864 section 2.2). On Ed25519 both are the same
# signature, so a key published for EdDSA can be used under both names; one published for Ed25519 only under that.
_SERVES = {"EdDSA": ("EdDSA", "Ed25519")}
SIGNING_ALGORITHMS = frozenset(name for names in ALGORITHMS_OF.values() for name in names)
_COORDINATE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}
# The y-coordinates of the eight points whose order divides 8 (RFC 8032 section 5.1), in each of their encodings.
_SMALL_ORDER = frozenset(
    map(
        bytes.fromhex,
        (
            "00" * 32,
            "01" + "00" * 31,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ec" + "ff" * 30 + "7f",
            "ed" + "ff" * 30 + "7f",
            "ee" + "ff" * 30 + "7f",
        ),
    )
)
_PRIMES = [number for number in range(3, 168) if all(number % divisor for divisor in range(2, number))]
# Infineon's library made moduli that are a power of 65537 modulo each of these primes; of others, one in 2^27 is.
_ROCA = {prime: frozenset(pow(65537, exponent, prime) for exponent in range(prime)) for prime in _PRIMES}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_KNOWN = get_default_algorithms()
_SUPPORTED: Mapping[str, Algorithm] = _KNOWN | {"Ed25519": _KNOWN["EdDSA"]}


class _Unusable(Exception):
    """Why a key is skipped; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Key:
    """One public key that may verify signatures.

    :ivar kid: its name in the set, ``None`` if it has none.
    :ivar algorithms: what the key may be used for: its ``alg``, or everything that its type allows. The token says
        which algorithm was used, and the configuration whether it is allowed.
    :ivar material: the members that define the key, to compare it with others.
    """

    kid: str | None
    algorithms: tuple[str, ...]
    material: tuple[str, ...]
    public_key: Any

    @property
    def identity(self) -> tuple[object, ...]:
        """Everything that distinguishes this key from others."""
        return self.kid, self.algorithms, self.material

    def verifies(self, algorithm: str, signing_input: bytes, signature: bytes) -> bool:
        """Whether the signature over these bytes was made with this key."""
        return _SUPPORTED[algorithm].verify(signing_input, self.public_key, signature)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one provider.

    :ivar keys: in the order of the document.
    :ivar skipped: the number of members of the document that are not among them.
    :ivar reasons: why each of them was skipped, for the operator.
    """

    keys: tuple[Key, ...]
    skipped: int
    reasons: tuple[str, ...]

    @classmethod
    def parse(cls, document: bytes | Mapping[str, object]) -> "KeySet":
        """Read a JWK Set (RFC 7517 section 5).

        :param document: the bytes as received, at most 64 kB, or the JSON object read from them.
        :raises ProviderError: ``key_set_unusable`` if this is not a JWK Set, or does not have 1 to 50 members.
        """
        keys: list[Key] = []
        reasons: list[str] = []
        for index, member in enumerate(_members(document)):
            try:
                keys.append(_key(member))
            except _Unusable as reason:
                reasons.append(f"key {index}: {reason}")
        return cls(tuple(keys), len(reasons), tuple(reasons))

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def same_material(self, other: "KeySet") -> bool:
        """Whether both contain the same keys for the same use and with the same names: what failed once fails again."""
        return {key.identity for key in self.keys} == {key.identity for key in other.keys}

    def named(self, kid: str | None) -> Sequence[Key]:
        """The keys with this name, compared exactly; all keys if there is no name."""
        return self.keys if kid is None else [key for key in self.keys if key.kid == kid]


def _members(document: bytes | Mapping[str, object]) -> list[object]:
    if isinstance(document, bytes):
        try:
            parsed = loads(document, largest=LARGEST_DOCUMENT)
        except JSONError as error:
            raise ProviderError("key_set_unusable", reason=error.reason) from error
    else:
        parsed = document
    members = parsed.get("keys") if isinstance(parsed, Mapping) else None
    if not isinstance(members, list) or not 0 < len(members) <= MOST_KEYS:
        raise ProviderError("key_set_unusable", reason=f"not a list of 1 to {MOST_KEYS} keys")
    return members


def _key(member: object) -> Key:
    if not isinstance(member, dict):
        raise _Unusable("not an object")
    kty = member.get("kty")
    if kty == "oct":
        raise _Unusable("symmetric")
    if any(name in member for name in _PRIVATE):
        raise _Unusable("private: the provider leaks it")
    _check_purpose(member)
    if not isinstance(kty, str) or kty not in _READERS:
        raise _Unusable("unknown kty")
    kind, material = _READERS[kty](member)
    kid = member.get("kid")
    if "kid" in member and (not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID):
        raise _Unusable("kid is not a string of 1 to 256 characters")
    algorithms = ALGORITHMS_OF[kind]
    if "alg" in member:
        if member["alg"] not in algorithms:
            raise _Unusable("alg does not fit the key, or is not for signatures")
        algorithms = _SERVES.get(member["alg"], (member["alg"],))
    return Key(kid, algorithms, (kind, *material), _public_key(algorithms[0], kty, kind, material))


def _check_purpose(member: Mapping[str, object]) -> None:
    """A key that is published for another purpose must not verify anything (RFC 7517 sections 4.2 and 4.3)."""
    if "use" in member and member["use"] != "sig":
        raise _Unusable("use is not sig")
    if "key_ops" in member:
        operations = member["key_ops"]
        if not isinstance(operations, list) or not all(isinstance(name, str) for name in operations):
            raise _Unusable("key_ops is not a list of names")
        if "verify" not in operations or len(set(operations)) != len(operations):
            raise _Unusable("key_ops is not for verifying")
    if not isinstance(member.get("ext", True), bool):
        raise _Unusable("ext is neither true nor false")


def _rsa(member: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
    n, e = _number(member, "n"), _number(member, "e")
    modulus, exponent = int.from_bytes(n), int.from_bytes(e)
    if modulus.bit_length() not in RSA_BITS or modulus % 2 == 0:
        raise _Unusable("RSA modulus is even, or does not have 2048 to 8192 bits")
    if exponent not in RSA_EXPONENTS:
        raise _Unusable("RSA exponent is even, or not between 65537 and 2**32")
    if all(modulus % prime in powers for prime, powers in _ROCA.items()):
        raise _Unusable("RSA modulus with the ROCA weakness (CVE-2017-15361): its private key can be worked out")
    return "RSA", (cast(str, member["n"]), cast(str, member["e"]))


def _number(member: Mapping[str, object], name: str) -> bytes:
    """Base64urlUInt: an integer without leading zeros (RFC 7518 section 2)."""
    number = _octets(member, name)
    if not number or number[0] == 0:
        raise _Unusable(f"{name} is not a Base64urlUInt")
    return number


def _elliptic(member: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
    return _on_curve(member, ("P-256", "P-384", "P-521"), ("x", "y"))


def _edwards(member: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
    kind, material = _on_curve(member, ("Ed25519",), ("x",))
    encoded = _octets(member, "x")
    if encoded[:-1] + bytes([encoded[-1] & 0x7F]) in _SMALL_ORDER:  # without the sign of the x-coordinate
        raise _Unusable("Ed25519 point of small order: anybody can sign for it")
    return kind, material


def _on_curve(member: Mapping[str, object], curves: Sequence[str], names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    crv = member.get("crv")
    if not isinstance(crv, str) or crv not in curves:
        raise _Unusable("unknown crv")
    for name in names:
        if len(_octets(member, name)) != _COORDINATE_BYTES[crv]:
            raise _Unusable(f"{name} does not have the length of the curve's coordinates")
    return crv, tuple(cast(str, member[name]) for name in names)


def _octets(member: Mapping[str, object], name: str) -> bytes:
    value = member.get(name)
    if not isinstance(value, str):
        raise _Unusable(f"{name} is missing or not a string")
    try:
        return base64url.decode(value.encode("ascii", "replace"))  # "?" is not in the alphabet
    except ValueError as error:
        raise _Unusable(f"{name} is not canonical base64url") from error


_READERS: Mapping[str, Callable[[Mapping[str, object]], tuple[str, tuple[str, ...]]]] = {
    "RSA": _rsa,
    "EC": _elliptic,
    "OKP": _edwards,
}


def _public_key(algorithm: str, kty: str, kind: str, material: tuple[str, ...]) -> Any:
    """The key object. It is made only from the checked members, so that nothing else in the member has an effect."""
    names = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}[kty]
    jwk = {"kty": kty, "crv": kind} | dict(zip(names, material, strict=True))
    try:
        return _SUPPORTED[algorithm].from_jwk(jwk)
    except (
        InvalidKeyError,
        ValueError,
        TypeError,
    ) as error:  # such as a point that is not on the curve
        raise _Unusable("the cryptography library refuses it") from error
