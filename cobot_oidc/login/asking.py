"""What one login asks of the provider: for whom, how strictly, and whether the browser carries it or we push it."""

from collections.abc import Mapping

from flask import request

from ..context import the_app
from ..identity import grants
from ..identity.current import identity_of, requested_user
from ..installation import installation
from ..protocol.authorization import AuthorizationRequest, pushed_url
from ..protocol.client import Client
from ..protocol.discovery import ProviderMetadata
from ..protocol.further_parameters import FurtherParameters
from ..provider.provider import Provider
from ..urls import Destination


def further_parameters(destination: Destination) -> FurtherParameters:
    """What the app's own function adds to this login's request, if it has one."""
    function = installation().authorization_request()
    if function is None:
        return FurtherParameters()
    return FurtherParameters.read(the_app().ensure_sync(function)(destination.space, destination.next))


def strictest_max_age(options: Mapping[str, str], asked: FurtherParameters) -> int | None:
    """How long ago the person may have logged in at the provider: a link can be stricter than the app, never laxer."""
    wanted = [int(options["max_age"])] if "max_age" in options else []
    return min([*wanted, *([] if asked.max_age is None else [asked.max_age])], default=None)


def further_scopes() -> tuple[str, ...]:
    """What is asked for beyond the configured scopes: what a view of ours asks for, and what was granted before."""
    user = requested_user()
    identity = identity_of(user) if user.is_authenticated else None
    granted = [] if identity is None else identity.kept.granted
    wanted = dict.fromkeys((*granted, *grants.opened(request.args.get("grant"))))
    return tuple(scope for scope in wanted if scope not in installation().settings.scopes)


def location(
    authorization_request: AuthorizationRequest, client: Client, metadata: ProviderMetadata, provider: Provider
) -> str:
    """Where the browser goes. If the request has to be pushed first, no login begins in another way."""
    if not (client.pushes or metadata.requires_pushed_requests):
        return authorization_request.url(metadata.authorization_endpoint)
    from ..provider.pushing import push  # for clients that have to

    request_uri = push(provider, client, authorization_request)
    return pushed_url(metadata.authorization_endpoint, client_id=client.client_id, request_uri=request_uri)
