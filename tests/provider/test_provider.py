"""One issuer over time: keys rotate, documents fail, many ask at once, and strangers invent keys."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cobot_oidc.errors import CobotOIDCError, ProviderError, TokenError
from cobot_oidc.protocol.authorization import AuthorizationRequest
from cobot_oidc.protocol.client import Client
from cobot_oidc.provider import pushing
from cobot_oidc.provider.deadline import within
from cobot_oidc.provider.documents import MOMENT, MOST_WAITING
from cobot_oidc.provider.gate import MOST_CALLS, MOST_PUSHES, MOST_PUSHES_IN_ALL
from cobot_oidc.provider.gate import MOST_WAITING as MOST_WAITING_IN_LINE
from cobot_oidc.provider.provider import Provider
from cobot_oidc.provider.providers import Providers
from cobot_oidc.provider.userinfo import userinfo
from cobot_oidc.settings import ProviderSettings
from cobot_oidc.standin.keys import rsa_key

from ..conftest import Clock
from ..patience import eventually, takes_less_than
from .issuer import DOCUMENT, JSON, KEYS, PUSHED, USERINFO, Issuer, running

HURRIED = ProviderSettings(connect_timeout=0.5, read_timeout=0.5, total_timeout=0.5)
PATIENT = ProviderSettings(connect_timeout=60, read_timeout=60, total_timeout=60)  # a machine may be busy
OURS = Client("client", None, "none")


@pytest.fixture
def issuer(clock: Clock) -> Iterator[Issuer]:
    with running(clock) as issuer:
        yield issuer


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def provider(issuer: Issuer, clock: Clock, events: list[str]) -> Provider:
    return Providers(PATIENT, clock, lambda event, _: events.append(event)).provider(issuer.url)


@pytest.fixture
def hurried(issuer: Issuer, clock: Clock, events: list[str]) -> Provider:
    """The same for answers that do not come."""
    return Providers(HURRIED, clock, lambda event, _: events.append(event)).provider(issuer.url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def _long_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, an honest answer may take longer than everybody may wait for it."""
    monkeypatch.setattr("cobot_oidc.provider.documents.MOMENT", 60)
    monkeypatch.setattr("cobot_oidc.provider.gate.LONGEST_WAIT", 60)


def verifies(provider: Provider, issuer: Issuer, token: str | None = None) -> bool:
    try:
        provider.verify(token or issuer.id_token(), issuer.expected(), access_token=None)
    except TokenError:
        return False
    return True


def failure(call: Callable[[], object]) -> CobotOIDCError:
    with pytest.raises(CobotOIDCError) as raised:
        call()
    return raised.value


def at_once(times: int, call: Callable[[], Any]) -> list[Any]:
    together = threading.Barrier(times)

    def one() -> Any:
        together.wait(60)
        return call()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(times)]]


def test_a_cold_login_asks_for_two_documents_and_a_warm_one_for_none(provider: Provider, issuer: Issuer) -> None:
    provider.begin()
    eventually(lambda: issuer.asked[KEYS] == 1)
    assert verifies(provider, issuer)
    provider.begin()
    assert verifies(provider, issuer)
    assert issuer.asked == {DOCUMENT: 1, KEYS: 1}


@pytest.mark.covers("K08")
def test_a_rotated_key_costs_one_fetch(provider: Provider, issuer: Issuer, events: list[str]) -> None:
    assert verifies(provider, issuer)
    issuer.keys.rotate()
    assert verifies(provider, issuer)
    assert issuer.asked[KEYS] == 2
    assert events.count("keys_renewed") == 2


@pytest.mark.covers("K09")
def test_a_key_that_was_rotated_just_now_is_found(provider: Provider, issuer: Issuer, clock: Clock) -> None:
    for _ in range(2):
        assert verifies(provider, issuer)
        clock.move(1)
        issuer.keys.rotate()
        assert verifies(provider, issuer)
    assert issuer.asked[KEYS] == 3


@pytest.mark.covers("K10")
def test_a_new_key_under_the_old_name_is_found(provider: Provider, issuer: Issuer) -> None:
    assert verifies(provider, issuer)
    issuer.keys.rotate(kid=issuer.keys.kid)
    assert verifies(provider, issuer)
    assert issuer.asked[KEYS] == 2


@pytest.mark.covers("K10", "K12")
def test_a_bad_signature_is_looked_into_within_the_budget(provider: Provider, issuer: Issuer) -> None:
    forged = issuer.id_token()[:-8] + "AAAAAAAA"
    for _ in range(20):
        assert not verifies(provider, issuer, forged)
    assert issuer.asked[KEYS] <= 3
    assert verifies(provider, issuer)


@pytest.mark.covers("K11")
def test_a_key_that_was_taken_back_is_not_believed_after_its_lifetime(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    key, kid = issuer.keys.signing_key, issuer.keys.kid
    assert verifies(provider, issuer)
    issuer.keys.rotate(keep_old=False)
    issuer.answers[KEYS] = (200, JSON, json.dumps(issuer.keys.document()).encode())
    clock.move(600)
    issuer.keys.use(key, kid=kid)  # whoever stole it signs on
    assert not verifies(provider, issuer)


@pytest.mark.covers("K12")
def test_invented_keys_cost_four_fetches_in_a_minute_and_nobody_s_login(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    assert verifies(provider, issuer)
    for number in range(1000):
        assert not verifies(provider, issuer, issuer.id_token(kid=f"invented-{number % 50}"))
        if number == 500:
            assert issuer.asked[KEYS] <= 1 + 2
        clock.move(0.06)
    assert issuer.asked[KEYS] <= 1 + 4
    assert verifies(provider, issuer)


@pytest.mark.usefixtures("_long_moment")
@pytest.mark.covers("K16")
@pytest.mark.parametrize("just_fetched", [False, True])
def test_many_who_meet_a_rotated_key_at_once_share_one_fetch(
    provider: Provider, issuer: Issuer, clock: Clock, just_fetched: bool
) -> None:
    assert verifies(provider, issuer)
    if not just_fetched:
        clock.move(300)
    issuer.keys.rotate()
    issuer.delay = 0.05
    token = issuer.id_token()
    assert at_once(64, lambda: verifies(provider, issuer, token)) == [True] * 64
    assert issuer.asked[KEYS] == 2


@pytest.mark.usefixtures("_long_moment")
@pytest.mark.covers("K12", "K16")
def test_many_invented_keys_at_once_cost_no_more_than_the_budget(provider: Provider, issuer: Issuer) -> None:
    assert verifies(provider, issuer)
    issuer.delay = 0.05
    token = issuer.id_token(kid="invented")
    assert at_once(64, lambda: verifies(provider, issuer, token)) == [False] * 64
    assert issuer.asked[KEYS] <= 1 + 2


@pytest.mark.covers("X12")
def test_a_renewal_that_began_before_the_rotation_is_not_the_look_for_the_new_key(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    assert verifies(provider, issuer)
    old, old_may_go = (200, JSON, json.dumps(issuer.keys.document()).encode()), threading.Event()

    def slow_and_old() -> Any:
        issuer.answers[KEYS] = lambda: (200, JSON, json.dumps(issuer.keys.document()).encode())
        old_may_go.wait(60)
        return old

    issuer.answers[KEYS] = slow_and_old
    clock.move(500)
    provider.begin()  # renews ahead
    assert verifies(provider, issuer)
    eventually(lambda: issuer.asked[KEYS] == 2)
    issuer.keys.rotate(keep_old=False)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(verifies, provider, issuer)
        old_may_go.set()
        assert outcome.result() is True
    assert issuer.asked[KEYS] == 3


@pytest.mark.covers("K09")
def test_keys_that_are_rotated_every_few_seconds_cost_no_login(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    assert verifies(provider, issuer)
    for number in range(30):
        issuer.keys.use(rsa_key(number % 2), kid=f"rotated-{number}", keep_old=False)
        clock.move(3)
        assert verifies(provider, issuer)
    for number in range(100):  # what is well spent leaves no more for those who invent keys
        assert not verifies(provider, issuer, issuer.id_token(kid=f"invented-{number}"))
    assert issuer.asked[KEYS] <= 31 + 2


@pytest.mark.covers("X13")
def test_a_rotation_is_found_at_once_though_the_clock_was_ahead(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    clock.move(3600)
    assert verifies(provider, issuer)
    for number in range(5):
        assert not verifies(provider, issuer, issuer.id_token(kid=f"invented-{number}"))
    clock.move(-3600)
    assert verifies(provider, issuer)
    issuer.keys.rotate(keep_old=False)
    assert verifies(provider, issuer)


@pytest.mark.covers("J02")
def test_a_provider_whose_tokens_could_not_be_accepted_is_not_visited(provider: Provider, issuer: Issuer) -> None:
    listed = issuer.document() | {"id_token_signing_alg_values_supported": ["HS256"]}
    issuer.answers[DOCUMENT] = (200, JSON, json.dumps(listed).encode())
    assert failure(provider.begin).code == "algorithms_disjoint"


@pytest.mark.covers("X06")
def test_everybody_waits_for_a_moment_and_few_for_longer(issuer: Issuer, clock: Clock) -> None:
    provider = Providers(PATIENT, clock, lambda *_: None).provider(issuer.url)
    issuer.gate.clear()
    codes: list[str] = []

    def ask() -> None:
        try:
            provider.metadata()
        except CobotOIDCError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(codes) == 20 - MOST_WAITING)
    assert set(codes) == {"provider_busy"}
    issuer.gate.set()
    for thread in threads:
        thread.join()
    assert len(codes) == 20 - MOST_WAITING  # the others have their document
    assert issuer.asked[DOCUMENT] == 1


@pytest.mark.covers("X06")
def test_many_issuers_that_hang_hold_everybody_up_for_one_moment_alone(clock: Clock) -> None:
    providers = Providers(PATIENT, clock, lambda *_: None)
    with running(clock) as hanging, running(clock) as healthy:
        hanging.gate.clear()

        def ask(number: int) -> tuple[str, float]:
            began = time.monotonic()
            with within(1.5):
                error = failure(providers.provider(f"{hanging.url}/{number}").metadata)
            return error.code, time.monotonic() - began

        with ThreadPoolExecutor(6) as pool:
            slow = list(pool.map(ask, range(6)))
            later = list(pool.map(ask, range(6, 12)))

        assert min(seconds for _, seconds in slow) >= MOMENT
        refused = [seconds for code, seconds in later if code == "provider_busy"]
        assert len(refused) == 6 - MOST_WAITING
        assert min(refused) < MOMENT / 2  # at once, but for a busy machine
        assert verifies(providers.provider(healthy.url), healthy)
        hanging.gate.set()


@pytest.mark.covers("X07")
def test_nobody_waits_beyond_the_end_of_the_request(issuer: Issuer, clock: Clock) -> None:
    issuer.gate.clear()

    def lasts() -> float:
        provider = Providers(PATIENT, clock, lambda *_: None).provider(issuer.url)
        began = time.monotonic()
        with within(0.2):
            error = failure(provider.metadata)
        lasted = time.monotonic() - began
        assert (error.code, error.status) == ("provider_unreachable", 503)
        return lasted

    assert takes_less_than(1, lasts)


def test_issuers_that_name_one_key_set_share_it(issuer: Issuer, clock: Clock) -> None:
    def of_space(number: int) -> dict[str, Any]:
        url = f"{issuer.url}/{number}"
        return issuer.document() | {"issuer": url}

    providers = Providers(PATIENT, clock, lambda *_: None)
    for number in range(30):
        path = f"/{number}{DOCUMENT}"
        issuer.answers[path] = (200, JSON, json.dumps(of_space(number)).encode())
        token = issuer.id_token(iss=f"{issuer.url}/{number}")
        expected = issuer.expected()._replace(issuer=f"{issuer.url}/{number}")
        providers.provider(f"{issuer.url}/{number}").verify(token, expected, access_token=None)
    assert issuer.asked.total() == 31
    assert issuer.asked[KEYS] == 1


@pytest.mark.usefixtures("_long_moment")
@pytest.mark.covers("K16")
def test_many_who_begin_at_once_share_one_fetch(issuer: Issuer, clock: Clock) -> None:
    provider = Providers(PATIENT, clock, lambda *_: None).provider(issuer.url)
    issuer.delay = 0.05
    assert len(set(map(id, at_once(50, provider.begin)))) == 1
    assert at_once(50, lambda: verifies(provider, issuer)) == [True] * 50
    assert issuer.asked == {DOCUMENT: 1, KEYS: 1}


@pytest.mark.covers("K13", "N10")
def test_keys_serve_stale_for_an_hour_of_outage(
    provider: Provider, issuer: Issuer, clock: Clock, events: list[str]
) -> None:
    assert verifies(provider, issuer)
    issuer.fails(KEYS)
    clock.move(600)
    assert verifies(provider, issuer)
    assert "stale_keys_served" in events
    assert "provider_unavailable" in events
    clock.move(3599)
    assert verifies(provider, issuer)
    clock.move(1)
    error = failure(lambda: verifies(provider, issuer))
    assert error.status == 503

    issuer.answers[KEYS] = (200, JSON, json.dumps(issuer.keys.document()).encode())
    clock.move(60)
    assert verifies(provider, issuer)


@pytest.mark.covers("N09")
def test_the_document_serves_stale_for_a_day_of_outage(provider: Provider, issuer: Issuer, clock: Clock) -> None:
    first = provider.metadata()
    issuer.fails(DOCUMENT)
    clock.move(3600)
    assert provider.metadata() is first
    clock.move(86399)
    assert provider.metadata() is first
    clock.move(1)
    assert failure(provider.metadata).status == 503


@pytest.mark.covers("N09")
def test_a_changed_document_is_seen_within_an_hour(provider: Provider, issuer: Issuer, clock: Clock) -> None:
    provider.metadata()
    changed = issuer.document() | {"token_endpoint": f"{issuer.url}/elsewhere"}
    issuer.answers[DOCUMENT] = (200, JSON, json.dumps(changed).encode())
    clock.move(3599)
    assert provider.metadata().token_endpoint == f"{issuer.url}/token"
    eventually(lambda: provider.metadata().token_endpoint == f"{issuer.url}/elsewhere")


def test_renewing_ahead_makes_nobody_wait(provider: Provider, issuer: Issuer, clock: Clock, events: list[str]) -> None:
    assert verifies(provider, issuer)
    clock.move(480)
    issuer.gate.clear()
    assert at_once(8, lambda: verifies(provider, issuer)) == [True] * 8
    issuer.gate.set()
    eventually(lambda: events.count("keys_renewed") == 2)
    clock.move(479)
    assert verifies(provider, issuer)
    assert issuer.asked[KEYS] == 2


@pytest.mark.covers("K14")
def test_a_failure_with_nothing_at_hand_is_remembered_for_some_seconds(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    issuer.fails(DOCUMENT)
    for _ in range(10):
        error = failure(provider.begin)
        assert (error.code, error.status) == ("provider_failing", 503)
    assert issuer.asked[DOCUMENT] == 1
    clock.move(5)
    failure(provider.begin)
    clock.move(9)
    failure(provider.begin)
    assert issuer.asked[DOCUMENT] == 2
    clock.move(1)
    failure(provider.begin)
    assert issuer.asked[DOCUMENT] == 3


GARBAGE = {
    "no keys": (200, JSON, b'{"keys": []}'),
    "no usable keys": (200, JSON, b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'),
    "HTML": (200, {"Content-Type": "text/html"}, b"<h1>Back soon</h1>"),
    "HTML that says it is JSON": (200, JSON, b"<h1>Back soon</h1>"),
    "other JSON": (200, JSON, b'{"name": "Cobot"}'),
    "an array": (200, JSON, b"[]"),
    "nothing": (200, JSON, b""),
    "a byte order mark": (200, JSON, b'\xef\xbb\xbf{"keys": []}'),
    "NaN": (200, JSON, b'{"keys": NaN}'),
    "UTF-16": (200, JSON, '{"keys": []}'.encode("utf-16")),
    "twice": (200, JSON, b'{"keys": [], "keys": [{}]}'),
    "203": (203, JSON, b'{"keys": []}'),
    "redirect": (302, {"Location": "http://169.254.169.254/"}, b""),
    "404": (404, {}, b""),
}


@pytest.mark.covers("K15", "N04")
@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_nonsense_replaces_nothing_that_is_good(provider: Provider, issuer: Issuer, clock: Clock, answer: Any) -> None:
    provider.metadata()
    assert verifies(provider, issuer)
    issuer.answers[KEYS] = issuer.answers[DOCUMENT] = answer
    clock.move(3600)
    provider.begin()
    assert verifies(provider, issuer)


@pytest.mark.covers("N04")
@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("path", [DOCUMENT, KEYS])
def test_nonsense_at_first_is_an_error_of_ours(provider: Provider, issuer: Issuer, path: str, answer: Any) -> None:
    issuer.answers[path] = answer
    error = failure(lambda: verifies(provider, issuer))
    assert isinstance(error, ProviderError)
    assert error.status in (404, 502)


@pytest.mark.covers("M12")
def test_a_space_that_is_gone_is_not_found(provider: Provider, issuer: Issuer, clock: Clock) -> None:
    issuer.fails(DOCUMENT, 404)
    assert (failure(provider.begin).code, failure(provider.begin).status) == ("provider_not_found", 404)
    assert issuer.asked[DOCUMENT] == 1
    del issuer.answers[DOCUMENT]
    issuer.answers[DOCUMENT] = (200, JSON, json.dumps(issuer.document()).encode())
    clock.move(60)
    provider.begin()


@pytest.mark.covers("K21")
@pytest.mark.parametrize(
    "claims", [{"iss": "https://evil.example"}, {"aud": "other"}, {"exp": 1}, {"nonce": "other"}, {"sub": ""}]
)
def test_a_token_that_could_not_hold_fetches_nothing(
    provider: Provider, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert not verifies(provider, issuer, issuer.id_token(kid="invented", **claims))
    assert issuer.asked[KEYS] == 0


@pytest.mark.covers("K17", "M10", "N11")
def test_one_issuer_that_hangs_stops_no_other(clock: Clock) -> None:
    providers = Providers(PATIENT, clock, lambda *_: None)
    with running(clock) as hanging, running(clock) as healthy:
        hanging.gate.clear()
        other = providers.provider(healthy.url)
        assert verifies(other, healthy)
        thread = threading.Thread(target=lambda: providers.provider(hanging.url).begin())
        thread.start()
        eventually(lambda: hanging.asked[DOCUMENT] == 1)
        assert verifies(providers.provider(healthy.url), healthy)
        assert thread.is_alive()  # it still waits for the other
        hanging.gate.set()
        thread.join()


@pytest.mark.covers("K18", "R09")
def test_an_issuer_cannot_point_at_the_keys_of_another(issuer: Issuer, clock: Clock) -> None:
    with running(clock) as other:
        elsewhere = other.url.replace("127.0.0.1", "other.localhost")
        issuer.answers[DOCUMENT] = lambda: (
            200,
            JSON,
            json.dumps(issuer.document() | {"jwks_uri": elsewhere + KEYS}).encode(),
        )
        providers = Providers(PATIENT, clock, lambda *_: None)
        assert failure(providers.provider(issuer.url).begin).code == "endpoint_forbidden"
        assert not other.asked


@pytest.mark.covers("K18", "M03")
def test_keys_of_one_issuer_verify_nothing_of_another(issuer: Issuer, clock: Clock) -> None:
    with running(clock) as other:
        other.keys.rotate(keep_old=False)
        providers = Providers(PATIENT, clock, lambda *_: None)
        here, there = providers.provider(issuer.url), providers.provider(other.url)
        assert verifies(here, issuer)
        assert verifies(there, other)
        forged = other.id_token(iss=issuer.url, kid=issuer.keys.kid)
        assert not verifies(here, issuer, forged)


@pytest.mark.covers("K17")
def test_known_keys_do_not_wait_behind_an_unknown_one(issuer: Issuer, clock: Clock) -> None:
    provider = Providers(PATIENT, clock, lambda *_: None).provider(issuer.url)
    assert verifies(provider, issuer)
    issuer.gate.clear()
    invented = issuer.id_token(kid="invented")
    thread = threading.Thread(target=lambda: verifies(provider, issuer, invented))
    thread.start()
    eventually(lambda: issuer.asked[KEYS] == 2)
    assert verifies(provider, issuer)
    assert thread.is_alive()  # the unknown one still waits for the provider
    issuer.gate.set()
    thread.join()


@pytest.mark.covers("N12")
def test_while_keys_are_stale_only_one_waits_for_the_provider(issuer: Issuer, clock: Clock) -> None:
    provider = Providers(PATIENT, clock, lambda *_: None).provider(issuer.url)
    assert verifies(provider, issuer)
    clock.move(600)
    issuer.gate.clear()
    thread = threading.Thread(target=lambda: verifies(provider, issuer))
    thread.start()
    eventually(lambda: issuer.asked[KEYS] == 2)
    assert at_once(16, lambda: verifies(provider, issuer)) == [True] * 16
    assert thread.is_alive()  # the one still waits
    issuer.gate.set()
    thread.join()


def ask_userinfo(provider: Provider) -> Any:
    with provider.room_for_a_login():
        return userinfo(provider, "t", "ada", client=OURS)


def hangs(issuer: Issuer, path: str) -> threading.Event:
    """Lets a path wait for this event."""
    over = threading.Event()

    def wait() -> Any:
        over.wait(60)
        return 200, JSON, b'{"sub": "ada"}'

    issuer.answers[path] = wait
    return over


@pytest.mark.covers("N11")
def test_the_breaker_opens_and_closes(hurried: Provider, issuer: Issuer, clock: Clock, events: list[str]) -> None:
    provider = hurried
    provider.begin()
    eventually(lambda: "keys_renewed" in events)
    over = hangs(issuer, USERINFO)
    for _ in range(5):
        assert failure(lambda: ask_userinfo(provider)).code == "provider_unreachable"
    assert events[-2:] == ["provider_unavailable", "breaker_opened"]
    clock.move(10)
    error = failure(lambda: ask_userinfo(provider))
    assert (error.code, error.status, error.details["retry_after_seconds"]) == ("provider_paused", 503, 20)
    assert issuer.asked[USERINFO] == 5
    over.set()
    clock.move(20)
    assert ask_userinfo(provider)["sub"] == "ada"
    assert events[-1] == "breaker_closed"


@pytest.mark.covers("X03")
@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_what_is_answered_opens_no_breaker(provider: Provider, issuer: Issuer, events: list[str], status: int) -> None:
    provider.begin()
    issuer.fails(USERINFO, status)
    for _ in range(50):
        assert failure(lambda: ask_userinfo(provider)).code in ("provider_failing", "userinfo_unusable")
    assert issuer.asked[USERINFO] >= 50
    assert "breaker_opened" not in events


@pytest.mark.covers("X03")
def test_an_open_breaker_closes_neither_document_nor_keys(
    hurried: Provider, issuer: Issuer, clock: Clock, events: list[str]
) -> None:
    provider = hurried
    provider.begin()
    over = hangs(issuer, USERINFO)
    for _ in range(5):
        failure(lambda: ask_userinfo(provider))
    assert "breaker_opened" in events
    clock.move(4)
    issuer.keys.rotate(keep_old=False)
    assert verifies(provider, issuer)
    over.set()


@pytest.mark.usefixtures("_long_moment")
@pytest.mark.covers("N12", "X04")
def test_no_more_than_eight_calls_are_under_way_and_the_others_stand_in_line(
    provider: Provider, issuer: Issuer
) -> None:
    provider.begin()
    assert verifies(provider, issuer)
    now, most, lock = 0, 0, threading.Lock()

    def slow() -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)  # a provider that takes its time
        with lock:
            now -= 1
        return 200, JSON, b'{"sub": "ada"}'

    issuer.answers[USERINFO] = slow
    assert len(at_once(16, lambda: ask_userinfo(provider))) == 16
    assert most <= MOST_CALLS


@pytest.mark.covers("N12", "X06")
def test_nobody_stands_in_line_before_calls_that_hang(provider: Provider, issuer: Issuer) -> None:
    provider.begin()
    assert verifies(provider, issuer)
    over = hangs(issuer, USERINFO)
    with ThreadPoolExecutor(MOST_CALLS) as pool:
        for _ in range(MOST_CALLS):
            pool.submit(ask_userinfo, provider)
        eventually(lambda: issuer.asked[USERINFO] == MOST_CALLS)
        with within(0.05):
            assert failure(lambda: ask_userinfo(provider)).code == "provider_busy"
        assert issuer.asked[USERINFO] == MOST_CALLS
        over.set()


def push(provider: Provider) -> str:
    secret = "v" * 43
    request = AuthorizationRequest("client", "https://portal.example/cb", ("openid",), secret, secret, secret)
    return pushing.push(provider, Client("client", None, "none"), request)


@pytest.mark.usefixtures("_long_moment")
@pytest.mark.covers("P07")
def test_no_more_than_four_requests_are_pushed_at_once_to_an_issuer_and_six_to_all(
    issuer: Issuer, clock: Clock
) -> None:
    with running(clock) as other:
        providers = Providers(PATIENT, clock, lambda *_: None)
        both = [providers.provider(each.url) for each in (issuer, other)]
        for provider in both:
            provider.begin()
        over = threading.Event()

        def slow() -> Any:
            over.wait(60)
            return 201, JSON, b'{"request_uri": "urn:a", "expires_in": 60}'

        issuer.answers[PUSHED] = other.answers[PUSHED] = slow
        issuer.answers[USERINFO] = 200, JSON, b'{"sub": "ada"}'
        with ThreadPoolExecutor(20) as pool:
            first = [pool.submit(push, both[0]) for _ in range(6)]
            eventually(lambda: issuer.asked[PUSHED] == MOST_PUSHES)
            others = [pool.submit(push, both[1]) for _ in range(6)]
            eventually(lambda: other.asked[PUSHED] == MOST_PUSHES_IN_ALL - MOST_PUSHES)
            # 6 stand in line now: there is room there for 2, and for nobody else.
            line = [pool.submit(push, both[1]) for _ in range(MOST_WAITING_IN_LINE)]
            refused = 6
            eventually(lambda: sum(each.done() for each in line) == refused)
            assert {failure(each.result).code for each in line if each.done()} == {"provider_busy"}
            assert ask_userinfo(both[0])["sub"] == "ada"  # whose login was begun before
            assert (issuer.asked[PUSHED], other.asked[PUSHED]) == (MOST_PUSHES, MOST_PUSHES_IN_ALL - MOST_PUSHES)
            over.set()

            served = [each for each in (*first, *others, *line) if each.exception() is None]
            assert [each.result() for each in served] == ["urn:a"] * (MOST_PUSHES_IN_ALL + MOST_WAITING_IN_LINE)


@pytest.mark.covers("K11")
def test_a_clock_that_was_set_back_makes_nothing_fresh_for_ever(
    provider: Provider, issuer: Issuer, clock: Clock
) -> None:
    assert verifies(provider, issuer)
    clock.move(-10_000)
    assert verifies(provider, issuer)
    assert issuer.asked[KEYS] == 2


@pytest.mark.covers("O04", "O05")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param((200, JSON, b'{"sub": "ada", "email": "ada@example"}'), None, id="good"),
        pytest.param((200, JSON, b'{"email": "ada@example"}'), "", id="no sub"),
        pytest.param((200, JSON, b'{"sub": "Ada"}'), "", id="other case"),
        pytest.param((200, JSON, b'{"sub": ["ada"]}'), "", id="list"),
        pytest.param((200, JSON, b'{"sub": "grace"}'), "", id="another"),
        pytest.param((200, {"Content-Type": "text/html"}, b"<p>"), "", id="HTML"),
        pytest.param((401, {"WWW-Authenticate": "Bearer"}, b""), "", id="401"),
        pytest.param((403, JSON, b"{}"), "", id="403"),
    ],
)
def test_userinfo_counts_only_for_its_subject(
    provider: Provider, issuer: Issuer, answer: Any, reason: str | None
) -> None:
    issuer.answers[USERINFO] = answer
    if reason is None:
        assert userinfo(provider, "token", "ada", client=OURS)["email"] == "ada@example"
    else:
        assert failure(lambda: userinfo(provider, "token", "ada", client=OURS)).code == "userinfo_unusable"
