"""Registering a client at an issuer over the network: its document, and the one request that registers."""

from functools import partial

from ..errors import ConfigurationError, ProviderError
from ..protocol.discovery import configuration_url, registration_endpoint
from ..protocol.registration import RegistrationRequest, RegistrationResponse
from ..settings import ProviderSettings
from .copies import METADATA, Clock, Copies, Wanted, is_json
from .http import HTTPClient, refuse_failure


class Registrar:
    """Registers clients at one issuer.

    :param allowed_hosts: hosts that its endpoints may be on besides its own.
    :param clock: seconds since the epoch.
    """

    def __init__(self, issuer: str, allowed_hosts: tuple[str, ...], settings: ProviderSettings, clock: Clock) -> None:
        self._issuer = issuer
        self._allowed_hosts = allowed_hosts
        self._http = HTTPClient(settings)
        self._copies = Copies(settings, self._http, clock)

    def endpoint(self) -> str:
        """Where the issuer's document says that clients are registered.

        :raises ConfigurationError: ``issuer_not_found`` if there is no document.
        :raises ProviderError: ``registration_unsupported`` if it does not say so, or if the document cannot be fetched
            or is not valid.
        """
        read = partial(registration_endpoint, issuer=self._issuer, allowed_hosts=self._allowed_hosts)
        wanted = Wanted(METADATA, configuration_url(self._issuer), read)
        try:
            endpoint = self._copies.fetch(wanted, None).value
        except ProviderError as error:
            if error.code != "provider_not_found":
                raise
            raise ConfigurationError("issuer_not_found", issuer=self._issuer) from error
        if endpoint is None:
            raise ProviderError("registration_unsupported", issuer=self._issuer)
        return endpoint

    def register(self, endpoint: str, client: RegistrationRequest) -> RegistrationResponse:
        """Register a client. It is not repeated once it was sent, as each request registers another client.

        :raises ProviderError: if the provider cannot be reached, refuses, or its answer is unusable.
        """
        answer = self._http.post_json(endpoint, client.members())
        refuse_failure(answer)
        if answer.status == 201 and not is_json(answer.content_type):
            raise ProviderError("registration_unusable", http_status=answer.status, got=answer.content_type)
        return RegistrationResponse.parse(answer.status, answer.body)
