"""``flask cobot verify``: each rule of an id token, and whether it holds. The token itself is never shown.

A login stops at the first rule that is violated. This command goes on, as a token that somebody has copied from
somewhere has usually expired, and that may not be what they want to know.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import click

from ..errors import CobotOIDCError, TokenError
from ..issuers import Registration
from ..protocol.discovery import narrow_algorithms
from ..protocol.id_token import RULES, Expected, check_at_hash, read_claims
from ..protocol.jws import LARGEST_TOKEN, ParsedJWS
from ..protocol.keys import KeySet
from .printing import mark, print_json, say
from .the_app import Loaded, loaded_or_exit, registration_or_exit

_STDIN = "-"

Holds = Literal["yes", "no", "not looked at"]

# What can be wrong before the claims are read: the parser stops at the first.
_FORM = (
    ("form", "RFC 7515 7.1", ("token_malformed", "token_too_large")),
    ("header", "RFC 7515 4", ("header_malformed", "kid_malformed")),
    ("header brings no key", "RFC 8725 3.10", ("header_forbidden",)),
    ("typ", "RFC 8725 3.11", ("token_type_wrong",)),
    ("alg", "RFC 8725 3.1, OIDC Core 3.1.3.7 (7)", ("algorithm_forbidden",)),
)
_PAYLOAD = ("payload", "RFC 7519 7.2")
_KEY = ("key", "OIDC Core 10.1")
_SIGNATURE = ("signature", "OIDC Core 3.1.3.7 (6)")
_AT_HASH = ("at_hash", "OIDC Core 3.1.3.8")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule.

    :ivar code: of the error that a login would end with; empty if the rule holds.
    :ivar seen: what was expected and found, or why the rule was not looked at.
    """

    rule: str
    section: str
    holds: Holds
    code: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody knows about the login that the token is from; a part that is ``None`` is not known."""

    nonce: str | None
    access_token: str | None


@click.command("verify")
@click.argument("token")
@click.option("--space", help="The space that the token is for; without it, the global provider.")
@click.option("--nonce", help="The login's nonce. Without it, the token's nonce is not looked at.")
@click.option("--access-token", help="The access token that came with the id token, for at_hash.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(
    context: click.Context, token: str, space: str | None, nonce: str | None, access_token: str | None, as_json: bool
) -> None:
    """Show each rule that an id TOKEN has to fulfil, and whether it does.

    With - as TOKEN it is read from stdin, so that it does not get into your shell's history. The exit status is 1 if a
    rule does not hold.
    """
    found = loaded_or_exit(context)
    registration = registration_or_exit(found, space)
    text = _from_stdin() if token == _STDIN else token
    given = Given(nonce, access_token)
    secrets = [text, *text.split("."), nonce or "", access_token or ""]
    verdicts = _verdicts(found, registration, text, given, secrets)
    holds = all(each.holds != "no" for each in verdicts)
    if as_json:
        rules = [asdict(each) for each in verdicts]
        print_json({"issuer": registration.issuer, "holds": holds, "rules": rules})
    else:
        _show(registration.issuer, verdicts)
    context.exit(0 if holds else 1)


def _from_stdin() -> str:
    return sys.stdin.buffer.read(LARGEST_TOKEN + 1000).decode("ascii", "replace").strip()


def _verdicts(
    found: Loaded, registration: Registration, token: str, given: Given, secrets: Sequence[str]
) -> list[Verdict]:
    settings = found.installed.settings.provider
    key_set = _keys(found, registration)
    algorithms, keys = key_set if isinstance(key_set, tuple) else (settings.algorithms, key_set)
    expected = Expected(
        issuer=registration.issuer,
        client_id=registration.client.client_id,
        nonce=given.nonce,
        algorithms=algorithms,
        leeway=settings.leeway,
        max_iat_age=settings.max_iat_age,
        trusted_audiences=settings.trusted_audiences,
        require_kid=settings.require_kid,
    )
    return list(verdicts(token, expected, given, keys, now=found.installed.clock(), secrets=secrets))


def _keys(found: Loaded, registration: Registration) -> tuple[tuple[str, ...], KeySet] | CobotOIDCError:
    """The algorithms that the provider and the app have in common, and the provider's keys; or why there are none."""
    from ..provider.copies import read_keys
    from ..provider.http import HTTPClient
    from .asking import document_at, metadata_of

    settings, clock = found.installed.settings.provider, found.installed.clock
    http = HTTPClient(settings)
    try:
        metadata = metadata_of(http, registration, clock)
        algorithms = narrow_algorithms(settings.algorithms, metadata)
        return algorithms, document_at(http, metadata.jwks_uri, read_keys, clock)
    except CobotOIDCError as error:
        return error.copy()


def verdicts(
    token: str,
    expected: Expected,
    given: Given,
    keys: KeySet | CobotOIDCError,
    *,
    now: float,
    secrets: Sequence[str],
) -> Iterator[Verdict]:
    """Each rule in the order of the specification.

    :param keys: the provider's keys, or why there are none.
    :param now: seconds since the epoch.
    :param secrets: what no verdict may repeat.
    """
    try:
        jws = ParsedJWS.parse(token, expected.algorithms)
    except TokenError as error:
        error.conceal(secrets)
        for rule, section, codes in _FORM:
            # The parser stops at the first violation, and does not tell what it had looked at before.
            yield _violated(rule, section, error) if error.code in codes else _unseen(rule, section)
        for rule, section in (_PAYLOAD, *((each.about, each.section) for each in RULES), _KEY, _SIGNATURE, _AT_HASH):
            yield _unseen(rule, section)
        return
    for rule, section, _ in _FORM:
        yield Verdict(rule, section, "yes")
    try:
        claims: dict[str, object] | None = read_claims(jws)
        yield Verdict(*_PAYLOAD, "yes")
    except TokenError as error:
        claims = None
        yield _violated(*_PAYLOAD, error)
    yield from _of_the_claims(claims, expected, given, now, secrets)
    yield from _of_the_signature(jws, keys, expected.require_kid, secrets)
    if claims is None or ("at_hash" in claims and given.access_token is None):
        yield _unseen(*_AT_HASH, "--access-token was not given" if claims is not None else "")
    else:
        check = partial(check_at_hash, claims, jws.header.algorithm, given.access_token)
        yield _verdict(*_AT_HASH, check, secrets)


def _of_the_claims(
    claims: dict[str, object] | None, expected: Expected, given: Given, now: float, secrets: Sequence[str]
) -> Iterator[Verdict]:
    for each in RULES:
        if claims is None:
            yield _unseen(each.about, each.section)
        elif each.about == "nonce" and given.nonce is None:
            yield _unseen(each.about, each.section, "--nonce was not given")
        elif each.about == "auth_time" and expected.max_age is None:
            yield _unseen(each.about, each.section, "only for a login that asked for max_age")
        elif each.about == "requested claims" and not expected.required:
            yield _unseen(each.about, each.section, "only for a login that asked for some")
        else:
            yield _verdict(each.about, each.section, partial(each.check, claims, expected, now), secrets)


def _of_the_signature(
    jws: ParsedJWS, keys: KeySet | CobotOIDCError, require_kid: bool, secrets: Sequence[str]
) -> Iterator[Verdict]:
    if isinstance(keys, CobotOIDCError):
        yield _violated(*_KEY, keys)
        yield _unseen(*_SIGNATURE)
        return
    verdict = _verdict(*_SIGNATURE, partial(jws.check_signature, keys, require_kid=require_kid), secrets)
    if verdict.holds == "yes" or verdict.code == "signature_invalid":
        yield Verdict(*_KEY, "yes")
        yield verdict
    else:
        yield Verdict(*_KEY, "no", verdict.code, verdict.seen)
        yield _unseen(*_SIGNATURE)


def _verdict(rule: str, section: str, check: Callable[[], None], secrets: Sequence[str]) -> Verdict:
    try:
        check()
    except TokenError as error:
        error.conceal(secrets)
        return _violated(rule, section, error)
    return Verdict(rule, section, "yes")


def _violated(rule: str, section: str, error: CobotOIDCError) -> Verdict:
    seen = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in error.details.items())
    return Verdict(rule, section, "no", error.code, seen)


def _unseen(rule: str, section: str, why: str = "") -> Verdict:
    return Verdict(rule, section, "not looked at", seen=why)


def _show(issuer: str, rules: Sequence[Verdict]) -> None:
    say(f"An id token of {issuer}, rule by rule:\n")
    for each in rules:
        level: Literal["ok", "warning", "problem"] = (
            "ok" if each.holds == "yes" else "problem" if each.holds == "no" else "warning"
        )
        word = {"yes": "holds", "no": "VIOLATED", "not looked at": "unseen"}[each.holds]
        said = ": " + " ".join(filter(None, (each.code, f"({each.seen})" if each.seen else "")))
        line = f"{mark(level, word)} {click.style(each.rule, bold=True)} [{each.section}]"
        say(line + (said if each.code or each.seen else ""))
