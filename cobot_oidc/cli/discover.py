"""``flask cobot discover``: a provider's document as the app reads it, what it lacks, and what is not used."""

from dataclasses import fields
from functools import partial
from typing import Any

import click

from ..errors import CobotOIDCError, ProviderError
from ..issuers import Registration
from ..protocol.discovery import ProviderMetadata, configuration_url, registration_endpoint
from ..protocol.strict_json import JSONError, loads
from .findings import of_error
from .printing import print_findings, print_json, say
from .the_app import loaded_or_exit, registration_or_exit

LONGEST_LIST = 60  # members that are named
# What the parts of ProviderMetadata are called in the document.
_MEMBERS = {
    "id_token_signing_algorithms": "id_token_signing_alg_values_supported",
    "promises_response_issuer": "authorization_response_iss_parameter_supported",
    "pushed_request_endpoint": "pushed_authorization_request_endpoint",
    "userinfo_signing_algorithms": "userinfo_signing_alg_values_supported",
    "requires_pushed_requests": "require_pushed_authorization_requests",
}


@click.command("discover")
@click.argument("space", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, space: str | None, as_json: bool) -> None:
    """Show the discovery document of the global provider, or of a SPACE, as the app reads it."""
    from ..provider.http import HTTPClient
    from .asking import document_at

    found = loaded_or_exit(context)
    registration = registration_or_exit(found, space)
    url = configuration_url(registration.issuer)
    http = HTTPClient(found.installed.settings.provider)
    try:
        document = document_at(http, url, partial(_described, registration), found.installed.clock)
    except CobotOIDCError as error:
        failure = of_error(url, error)
    else:
        _show(url, document, as_json)
        return
    if as_json:
        print_json({"url": url, "problem": failure.members()})
    else:
        print_findings([failure])
    context.exit(1)


def _described(registration: Registration, body: bytes) -> dict[str, Any]:
    """What the document says, as far as it is used; then what is missing, and what is ignored."""
    where: dict[str, Any] = {"issuer": registration.issuer, "allowed_hosts": registration.allowed_hosts}
    metadata = ProviderMetadata.parse(body, **where)
    read = {_MEMBERS.get(each.name, each.name): getattr(metadata, each.name) for each in fields(metadata)}
    try:
        read["registration_endpoint"] = registration_endpoint(body, **where)
    except ProviderError:  # only `flask cobot register` would use it
        read["registration_endpoint"] = None
    try:
        members = loads(body)
    except JSONError as error:  # not after the document was read
        raise ProviderError("metadata_unusable", reason=error.reason) from error
    names = list(members) if isinstance(members, dict) else []
    return {
        "read": {name: value for name, value in read.items() if value is not None},
        "missing": [name for name, value in read.items() if value is None],
        "ignored": sorted(ascii(name)[1:-1][:100] for name in names if name not in read)[:LONGEST_LIST],
    }


def _show(url: str, document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({"url": url, **document})
        return
    say(f"{url}\n")
    for name, value in document["read"].items():
        shown = " ".join(ascii(each)[1:-1] for each in value) if isinstance(value, tuple) else value
        say(f"  {click.style(name, bold=True)}: {shown}")
    say(f"\nNot in it, or not usable: {', '.join(document['missing']) or 'nothing that the app could use'}")
    say(f"In it, but not used: {', '.join(document['ignored']) or 'nothing'}")
