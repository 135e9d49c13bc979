"""``flask cobot keys``: each member of a provider's key set, and whether it can verify an id token of this app.

With ``--client``: the public halves of the app's own keys, to register at the provider.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import click

from ..errors import CobotOIDCError
from ..protocol import base64url
from ..protocol.client import Client
from ..protocol.discovery import narrow_algorithms
from ..protocol.keys import KeySet
from ..protocol.strict_json import LARGEST, loads
from .findings import of_error
from .printing import mark, print_findings, print_json, say
from .the_app import loaded_or_exit, registration_or_exit

LONGEST = 80  # characters of what a provider says
_BITS = {"P-256": 256, "P-384": 384, "P-521": 521, "Ed25519": 255}


@dataclass(frozen=True, slots=True)
class Described:
    """One member of a key set. What is not there is ``None``; what the provider wrote is escaped and short.

    :ivar size: of an RSA modulus or a curve, in bits.
    :ivar reason: why the app does not use it; ``None`` if it does.
    """

    kid: str | None
    kty: str | None
    crv: str | None
    size: int | None
    use: str | None
    alg: str | None
    reason: str | None


@click.command("keys")
@click.argument("space", required=False)
@click.option("--client", "of_client", is_flag=True, help="Show the app's own public keys, to register them there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, space: str | None, of_client: bool, as_json: bool) -> None:
    """Show the key set of the global provider, or of a SPACE, and why a key is not used.

    The exit status is 1 if no key can be used.
    """
    from ..provider.http import HTTPClient
    from .asking import document_at, metadata_of

    found = loaded_or_exit(context)
    registration = registration_or_exit(found, space)
    if of_client:
        _show_clients(registration.client)
        return
    settings, clock = found.installed.settings.provider, found.installed.clock
    http, url = HTTPClient(settings), registration.issuer
    try:
        metadata = metadata_of(http, registration, clock)
        algorithms = narrow_algorithms(settings.algorithms, metadata)
        url = metadata.jwks_uri
        described = document_at(http, url, partial(describe, algorithms=algorithms), clock)
    except CobotOIDCError as error:
        failure = of_error(url, error)
    else:
        if as_json:
            print_json({"url": url, "algorithms": algorithms, "keys": [asdict(each) for each in described]})
        else:
            _show(url, algorithms, described)
        context.exit(0 if any(each.reason is None for each in described) else 1)
    if as_json:
        print_json({"url": url, "problem": failure.members()})
    else:
        print_findings([failure])
    context.exit(1)


def _show_clients(client: Client) -> None:
    if not client.keys:
        raise click.ClickException("the client has no key: COBOT_OIDC_CLIENT_KEY is not set")
    from ..protocol.client_keys import public_key_set

    print_json(public_key_set(client.keys))


def describe(document: bytes, algorithms: Sequence[str]) -> list[Described]:
    """Every member of a key set.

    :param algorithms: those that the app allows.
    :raises ProviderError: ``key_set_unusable`` if this is not a key set.
    """
    KeySet.parse(document)
    members = loads(document, largest=LARGEST)
    return [_described(member, algorithms) for member in members["keys"]]  # type: ignore[index] # it was parsed


def _described(member: object, algorithms: Sequence[str]) -> Described:
    parsed = KeySet.parse({"keys": [member]})
    if parsed.keys:
        fits = any(set(key.algorithms) & set(algorithms) for key in parsed)
        reason = None if fits else f"its algorithms are not among {' '.join(algorithms)}"
    else:
        reason = parsed.reasons[0].removeprefix("key 0: ")
    said: Mapping[str, Any] = member if isinstance(member, dict) else {}
    kid, kty, crv, use, alg = (_shown(said.get(name)) for name in ("kid", "kty", "crv", "use", "alg"))
    return Described(kid, kty, crv, _size(said), use, alg, reason)


def _shown(value: object) -> str | None:
    if value is None:
        return None
    text = ascii(value[:LONGEST] if isinstance(value, str) else type(value).__name__)
    return text[1:-1]


def _size(member: Mapping[str, Any]) -> int | None:
    modulus, curve = member.get("n"), member.get("crv")
    if isinstance(modulus, str) and member.get("kty") == "RSA":
        try:
            return int.from_bytes(base64url.decode(modulus.encode("ascii", "replace"))).bit_length()
        except ValueError:
            return None
    return _BITS.get(curve) if isinstance(curve, str) else None


def _show(url: str, algorithms: Sequence[str], described: Sequence[Described]) -> None:
    say(f"{url}\nThe app allows {' '.join(algorithms)}.\n")
    for each in described:
        kind = " ".join(str(part) for part in (each.kty, each.crv, each.size and f"{each.size} bits") if part)
        said = ", ".join(f"{name} {value}" for name, value in (("use", each.use), ("alg", each.alg)) if value)
        name = click.style(each.kid or "(no kid)", bold=True)
        say(
            f"{mark('warning', 'skipped') if each.reason else mark('ok', 'usable')} {name}: {kind or 'no key'}"
            + (f", {said}" if said else "")
            + (f": {each.reason}" if each.reason else "")
        )
