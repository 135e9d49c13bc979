"""``flask cobot check``: everything that can be wrong with a login, looked at before anybody logs in.

The order is that of the report: first what the app says about itself, then what the network answers.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import click

from ..errors import CobotOIDCError, ConfigurationError
from ..issuers import Registration
from ..protocol.discovery import ProviderMetadata, configuration_url
from ..settings import KEYS, Settings
from ..settings_mistakes import unread_variables
from .checks.combinations import combination_findings
from .checks.cookies import cookie_findings
from .checks.redirect import Surroundings, redirect_findings
from .checks.secrets import key_findings as secret_key_findings
from .checks.store import store_findings
from .findings import Finding, of_configuration, ok, warning, worst
from .printing import print_findings, print_json, say
from .the_app import Loaded, loaded, proxy_fix_of

MOST_SPACES = 20  # that are looked at if none is named


@click.command("check")
@click.argument("spaces", metavar="[SPACE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, spaces: tuple[str, ...], as_json: bool) -> None:
    """Tell whether everything is in order, and what to do if not.

    Looks at the app's settings, the provider and the SPACEs (by default those that the settings list, up to 20), their
    keys and clocks, the redirect URI, cookies, proxy and Redis. The exit status is 1 if there is a problem, and 0 if
    there are warnings at most.
    """
    findings = list(_findings(context, spaces))
    level = worst(findings)
    if as_json:
        print_json({"level": level, "findings": [finding.members() for finding in findings]})
    else:
        print_findings(findings)
        if level != "problem":
            say("Only a login shows whether the provider accepts the client's id and secret.")
    context.exit(1 if level == "problem" else 0)


def _findings(context: click.Context, spaces: tuple[str, ...]) -> Iterator[Finding]:
    try:
        found = loaded(context)
    except ConfigurationError as error:
        refused = _of_settings(error)
    else:
        yield from _of_the_app(found)
        yield from _of_the_network(found, spaces)
        return
    yield from refused
    yield warning(
        "app",
        "not_looked_at",
        "The extension cannot be set up like this, so nothing else was looked at.",
        "Correct it, and run the command again.",
    )


def _of_the_app(found: Loaded) -> Iterator[Finding]:
    from ..first_request import check_app
    from .second_process import has_same_key

    app, settings = found.app, found.installed.settings
    yield from combination_findings(settings, app.config, unread_variables(app.config, KEYS))
    try:
        check_app(app, found.installed)
    except ConfigurationError as error:
        yield from _of_settings(error)
    else:
        yield ok("app", "app", "The views, the destinations and the session store of the app are as they have to be.")
    key = app.secret_key or ""
    is_shared = has_same_key(found.path, key) if found.can_be_loaded_again else None
    yield from secret_key_findings(key, is_shared)
    if found.can_be_loaded_again and is_shared is None:
        what = "The app could not be loaded by a second process, so it is not known whether workers share the key."
        yield warning("SECRET_KEY", "secret_key_unknown", what, "Find out what the app does when it is loaded twice.")
    callbacks = [space for space, each in settings.issuers.exceptions.items() if each.callback is not None]
    surroundings = Surroundings(proxy_fix_of(app), os.environ.get("SCRIPT_NAME", ""))
    yield from redirect_findings(settings.redirect_uri, settings.url_prefix, app.config, surroundings, callbacks)
    yield from cookie_findings(settings.redirect_uri, settings.url_prefix, app.config, embedded=settings.embedded)
    yield from _of_redis(settings)


def _of_settings(error: ConfigurationError) -> Iterator[Finding]:
    """The problems of settings, each with a remedy where it is set: the hints cannot know that."""
    for finding in of_configuration(error):
        variable = f"FLASK_{finding.subject}"
        if variable in os.environ:
            usual, here = "it in app.config", f"{variable} in the environment, or in .env,"
            yield replace(finding, remedy=finding.remedy.replace(usual, here))
        else:
            yield finding


def _of_redis(settings: Settings) -> Iterator[Finding]:
    conversation = None
    if settings.redis_url is not None:
        from .redis_probe import probe  # only with the extra ``redis``

        conversation = probe(settings.redis_url)
    yield from store_findings(conversation, keeps_tokens=settings.keep_token)


def _of_the_network(found: Loaded, named: tuple[str, ...]) -> Iterator[Finding]:
    from ..provider.copies import read_keys
    from ..provider.http import HTTPClient
    from .asking import ask, metadata_reader, outcome
    from .checks import provider as check

    settings, clock = found.installed.settings, found.installed.clock
    targets: dict[str | None, Registration] = {None: settings.issuers.provider}
    for space in named or _listed(settings)[:MOST_SPACES]:
        registration = _registration_or_finding(found, space)
        if isinstance(registration, Finding):
            yield registration
        else:
            targets[space] = registration
    http = HTTPClient(settings.provider)
    asked = {space: configuration_url(each.issuer) for space, each in targets.items()}
    documents = ask(http, asked.values(), clock, "Asking for documents")
    metadata: dict[str | None, ProviderMetadata | CobotOIDCError] = {
        space: outcome(partial(documents[asked[space]].read, metadata_reader(each))) for space, each in targets.items()
    }
    api_url = settings.api_url if settings.keep_token or settings.membership else None
    key_sets = [each.jwks_uri for each in metadata.values() if isinstance(each, ProviderMetadata)]
    answers = ask(http, [*key_sets, *([api_url] if api_url else ())], clock, "Asking for keys")
    for target, registration in targets.items():
        document = metadata[target]
        yield from check.document_findings(target, registration, document, settings, os.environ)
        yield from check.clock_findings(target, documents[asked[target]], settings.provider.leeway)
        if isinstance(document, ProviderMetadata):
            keys = outcome(partial(answers[document.jwks_uri].read, read_keys))
            yield from check.key_findings(target, document, keys, settings)
    if api_url is not None:
        yield from check.api_findings(api_url, answers[api_url])
    if not named:
        yield from _left_out(settings)


def _registration_or_finding(found: Loaded, space: str) -> Registration | Finding:
    from .checks import provider as check

    try:
        with found.app.app_context():  # an app's own function may ask its database
            registration = found.installed.settings.issuers.registration_of(space)
    except Exception as error:  # whatever the app's own function raises
        return check.not_answered(space, type(error).__name__)
    return check.not_served(space) if registration is None else registration


def _left_out(settings: Settings) -> Iterator[Finding]:
    """The spaces that were not looked at, as nobody named any."""
    if not isinstance(settings.issuers.spaces, frozenset):
        yield ok(
            "COBOT_OIDC_SPACES", "spaces_unlisted", "No space was looked at, as the settings list none; name some."
        )
    if len(listed := _listed(settings)) > MOST_SPACES:
        found_more = f"The settings list {len(listed)} spaces; the first {MOST_SPACES} were looked at."
        yield warning("COBOT_OIDC_SPACES", "spaces_left_out", found_more, "Name others: flask cobot check SPACE …")


def _listed(settings: Settings) -> tuple[str, ...]:
    """The spaces that the settings list; none if a function or ``"*"`` stands for them."""
    spaces = settings.issuers.spaces
    return tuple(sorted(spaces)) if isinstance(spaces, frozenset) else ()
