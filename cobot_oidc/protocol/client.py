"""Our registration at the provider (RFC 6749 section 2)."""

from dataclasses import dataclass, field
from typing import Literal

ClientAuthentication = Literal["client_secret_post", "client_secret_basic", "none"]


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the token endpoint.

    :param client_id: the client's identifier.
    :param client_secret: ``None`` for a public client, which only PKCE protects; never shown in ``repr``.
    :param authentication: how the client authenticates. It only comes from the configuration: Cobot's document
        advertises only ``none``, although Cobot requires ``client_secret_post`` (docs/cobot.md 3).
    """

    client_id: str
    client_secret: str | None = field(repr=False)
    authentication: ClientAuthentication
