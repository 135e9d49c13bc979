"""One issuer: its document, its keys, its endpoints and its clock, as they answered."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ...errors import CobotOIDCError, ConfigurationError
from ...issuers import Registration
from ...protocol.discovery import ProviderMetadata, narrow_algorithms, narrow_userinfo_algorithms
from ...protocol.keys import KeySet
from ...settings import Settings
from ..asking import Answer
from ..findings import Finding, of_error, ok, problem, warning

NOTICED = 5  # seconds that the clocks may differ before anybody is told
_UNREACHED = ("provider_unreachable", "tls_failed")
_OF_A_PROXY = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def subject_of(space: str | None) -> str:
    return "global provider" if space is None else f"space {space}"


def document_findings(
    space: str | None,
    registration: Registration,
    metadata: ProviderMetadata | CobotOIDCError,
    settings: Settings,
    environment: Mapping[str, str],
) -> Iterator[Finding]:
    """What the document of an issuer says, or why there is none."""
    subject = subject_of(space)
    if isinstance(metadata, CobotOIDCError):
        yield of_missing_document(space, registration, metadata, settings, environment)
        return
    scheme = urlsplit(registration.issuer).scheme
    how = "over TLS with a valid certificate" if scheme == "https" else "by http, which only this machine may use"
    yield ok(subject, "document", f"The discovery document of {registration.issuer} is valid; it came {how}.")
    yield _endpoints(subject, metadata)
    yield from _authentication(subject, metadata, registration)
    yield from _userinfo(subject, metadata, settings)
    yield from _pushed_requests(subject, metadata, registration)
    yield from _logout(subject, metadata, settings)


def _endpoints(subject: str, metadata: ProviderMetadata) -> Finding:
    endpoints = (
        metadata.authorization_endpoint,
        metadata.token_endpoint,
        metadata.jwks_uri,
        metadata.userinfo_endpoint,
        metadata.end_session_endpoint,
        metadata.pushed_request_endpoint,
    )
    hosts = dict.fromkeys(urlsplit(url).netloc for url in endpoints if url is not None)
    return ok(subject, "endpoints", f"Its endpoints are on hosts that are allowed: {', '.join(hosts)}.")


def _authentication(subject: str, metadata: ProviderMetadata, registration: Registration) -> Iterator[Finding]:
    # Few providers list "none", even if they have public clients; Cobot lists nothing else (docs/cobot.md 3).
    own, listed = registration.client.authentication, set(metadata.client_authentications) - {"none"}
    if own != "none" and listed and own not in listed:
        yield warning(
            subject,
            "authentication_not_offered",
            f"The client proves who it is with {own}, but the document lists {', '.join(map(ascii, sorted(listed)))}: "
            "the provider may reject every login (client_refused).",
            "Set COBOT_OIDC_CLIENT_AUTH to one of these, as the client is registered.",
        )


def _userinfo(subject: str, metadata: ProviderMetadata, settings: Settings) -> Iterator[Finding]:
    if settings.userinfo and metadata.userinfo_endpoint is None:
        yield problem(
            subject,
            "userinfo_unusable",
            "COBOT_OIDC_USERINFO is True, but the document names no userinfo_endpoint: no login will work.",
            "Set COBOT_OIDC_USERINFO=False.",
        )
    if settings.userinfo == "signed":
        yield from _signed_userinfo(subject, metadata, settings)


def _signed_userinfo(subject: str, metadata: ProviderMetadata, settings: Settings) -> Iterator[Finding]:
    try:
        narrow_userinfo_algorithms(settings.provider.algorithms, metadata)
    except ConfigurationError as error:
        yield of_error(
            subject,
            error,
            "Add an algorithm of its userinfo_signing_alg_values_supported to COBOT_OIDC_ALGORITHMS, or set "
            "COBOT_OIDC_USERINFO=True.",
        )


def _pushed_requests(subject: str, metadata: ProviderMetadata, registration: Registration) -> Iterator[Finding]:
    if not (registration.client.pushes or metadata.requires_pushed_requests):
        return
    if metadata.pushed_request_endpoint is None:
        yield problem(
            subject,
            "pushed_request_unusable",
            "Authorization requests have to be pushed, but the document names no "
            "pushed_authorization_request_endpoint: no login will begin.",
            "Set COBOT_OIDC_PUSHED_AUTHORIZATION_REQUESTS=False, unless the document itself requires it.",
        )
    else:
        yield ok(subject, "pushed_requests", "Authorization requests are pushed to it before the browser goes there.")


def _logout(subject: str, metadata: ProviderMetadata, settings: Settings) -> Iterator[Finding]:
    if settings.logout_at_provider and metadata.end_session_endpoint is None:
        yield warning(
            subject,
            "logout_not_at_provider",
            "COBOT_OIDC_LOGOUT_AT_PROVIDER is True, but the document names no end_session_endpoint: people stay "
            "logged in there.",
            "Set COBOT_OIDC_LOGOUT_AT_PROVIDER=False; a provider such as Cobot has no such logout.",
        )


def of_missing_document(
    space: str | None,
    registration: Registration,
    error: CobotOIDCError,
    settings: Settings,
    environment: Mapping[str, str],
) -> Finding:
    """Why an issuer has no document that can be used."""
    subject, remedy = subject_of(space), None
    if error.code == "provider_not_found":
        if space is None:
            return of_error(subject, ConfigurationError("issuer_not_found", issuer=registration.issuer))
        return problem(
            subject,
            "provider_not_found",
            f"There is no space {space} at {registration.issuer}: nobody answers for it.",
            "Compare the name with the address of the space at Cobot, such as co-up in https://co-up.cobot.me; remove "
            "it from COBOT_OIDC_SPACES if the space is gone, and check COBOT_OIDC_SPACE_ISSUER.",
        )
    named = next((name for name in _OF_A_PROXY if environment.get(name)), None)
    if error.code == "provider_unreachable" and named is not None and not settings.provider.proxies:
        remedy = f"{named} is set, but is not read: name the proxy in COBOT_OIDC_PROXIES."
    return of_error(subject, error, remedy)


def not_served(space: str) -> Finding:
    """A space that the app has no issuer for."""
    return problem(
        subject_of(space),
        "space_unknown",
        f"The app does not serve {space!a}: it is not in COBOT_OIDC_SPACES, is not a lower-case label such as co-up, "
        "or has no issuer.",
        "Add it to COBOT_OIDC_SPACES, spelt as in the address of the space, or correct the name.",
    )


def not_answered(space: str, error: str) -> Finding:
    """The app's own function failed, which no request could do without."""
    return problem(
        subject_of(space),
        "spaces_unanswered",
        f"The function of COBOT_OIDC_SPACES raised {error} when it was asked for {space!a}.",
        "Correct it; it is called outside of requests too, within an app context.",
    )


def key_findings(
    space: str | None, metadata: ProviderMetadata, keys: KeySet | CobotOIDCError, settings: Settings
) -> Iterator[Finding]:
    """Whether a token of this issuer could be verified."""
    subject = f"keys of the {subject_of(space)}"
    try:
        allowed = narrow_algorithms(settings.provider.algorithms, metadata)
    except ConfigurationError as error:
        yield of_error(subject, error)
        return
    if isinstance(keys, CobotOIDCError):
        yield of_error(subject, keys)
        return
    fit = [key for key in keys if set(key.algorithms) & set(allowed)]
    if not fit:
        can = sorted({name for key in keys for name in key.algorithms})
        yield problem(
            subject,
            "key_unsuitable",
            f"None of its {len(keys)} keys can be used with {' '.join(allowed)}; they are for {' '.join(can)}.",
            "Add an algorithm of the keys to COBOT_OIDC_ALGORITHMS, if the provider signs id tokens with it.",
        )
        return
    if settings.provider.require_kid and any(key.kid is None for key in fit):
        yield warning(
            subject,
            "kid_required",
            "Some keys have no kid, but COBOT_OIDC_REQUIRE_KID is True: tokens that name no key are refused.",
            "Set COBOT_OIDC_REQUIRE_KID=False, or ask the provider to name its keys.",
        )
    if leaked := [reason for reason in keys.reasons if "private" in reason]:
        yield problem(
            subject,
            "key_private",
            f"The provider publishes a private key ({leaked[0]}), with which anybody can sign as the provider.",
            "Tell the provider at once. That key is never used here; `flask cobot keys` shows the others.",
        )
    skipped = f"; {keys.skipped} others are skipped (`flask cobot keys` says why)" if keys.skipped else ""
    yield ok(subject, "keys", f"{len(fit)} of its keys can verify id tokens with {' '.join(allowed)}{skipped}.")


def clock_findings(space: str | None, answer: Answer, leeway: float) -> Iterator[Finding]:
    """Our clock beside the one of the provider."""
    if answer.response is None:
        return
    difference = seconds_ahead(answer)
    subject = "clock" if space is None else f"clock of the {subject_of(space)}"
    if difference is None:
        yield warning(
            subject,
            "clock_unknown",
            "The provider's answer has no Date, so the clocks were not compared.",
            _SYNCHRONIZE,
        )
    elif abs(difference) > NOTICED:
        side = "behind" if difference > 0 else "ahead of"
        found = f"This machine's clock is {abs(difference):.0f} seconds {side} the provider's"
        if abs(difference) > leeway:
            found += f", more than COBOT_OIDC_LEEWAY ({leeway:g}): id tokens are refused (clock_skew, expired)."
            yield problem(subject, "clock_off", found, _SYNCHRONIZE)
        else:
            yield warning(subject, "clock_off", f"{found}, within COBOT_OIDC_LEEWAY ({leeway:g}).", _SYNCHRONIZE)
    elif space is None:
        yield ok(subject, "clock", "This machine's clock and the provider's agree.")


def seconds_ahead(answer: Answer) -> float | None:
    """How far the provider's clock is ahead of ours; ``None`` if it did not say the time.

    ``Date`` has whole seconds, and an answer that a cache kept is older by its ``Age`` (RFC 9111 section 5.1).
    """
    if answer.response is None:
        return None
    try:
        date = parsedate_to_datetime(answer.response.date)
    except (ValueError, TypeError, OverflowError):
        return None
    age = answer.response.age.strip()
    theirs = date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    theirs += int(age) if age.isascii() and age.isdigit() and len(age) < 9 else 0
    if theirs > answer.answered_at:
        return theirs - answer.answered_at
    return min(0.0, theirs + 1 - answer.asked_at)


def api_findings(url: str, answer: Answer) -> Iterator[Finding]:
    """Whether Cobot's API is there; without token it may answer what it likes."""
    subject = "COBOT_OIDC_API_URL"
    if answer.error is not None and answer.error.code in _UNREACHED:
        yield of_error(subject, answer.error, f"Check COBOT_OIDC_API_URL ({url}), the network and COBOT_OIDC_PROXIES.")
    elif answer.response is not None and answer.response.status >= 500:
        status = answer.response.status
        found = f"{url} answered with status {status}."
        yield warning(subject, "api_failing", found, "Check Cobot's status page, and try again later.")
    else:
        yield ok(subject, "api", f"{url} can be reached.")


_SYNCHRONIZE = "Let this machine set its clock by NTP, for example with systemd-timesyncd or chrony."
