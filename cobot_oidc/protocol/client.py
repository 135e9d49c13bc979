"""Our registration at the provider (RFC 6749 section 2)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .client_keys import ClientKey  # needs cryptography, which an app without a key does not

ClientAuthentication = Literal[
    "client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none"
]


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the token endpoint.

    :param client_id: the client's identifier.
    :param client_secret: ``None`` for a client without one; never shown in ``repr``.
    :param authentication: how the client authenticates. It only comes from the configuration: Cobot's document
        advertises only ``none``, although Cobot requires ``client_secret_post`` (docs/cobot.md 3).
    :param keys: of ``private_key_jwt``. The first one signs; the others are registered too, so that each can take over.
    :param algorithm: the HMAC of ``client_secret_jwt``; a key has its own.
    :param audience: whom an assertion is for; ``None`` for the issuer. Like everything here, never from the document.
    :param pushes: whether it must send its authorization requests beforehand (RFC 9126 section 6).
    """

    client_id: str
    client_secret: str | None = field(repr=False)
    authentication: ClientAuthentication
    keys: "tuple[ClientKey, ...]" = ()
    algorithm: str = "HS256"
    audience: str | None = None
    pushes: bool = False
