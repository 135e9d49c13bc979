"""What is long in one login takes no room from the others: a long ``next``, long claims (X14)."""

from hashlib import sha256

import pytest

from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor

LONG = "/desk?x=" + "y" * 2000


def _hashes(number: int) -> list[str]:
    """So many values that no compression makes much shorter."""
    return [sha256(bytes([number, place])).hexdigest() for place in range(number)]


@pytest.mark.covers("X14")
@pytest.mark.parametrize("place", range(5))
def test_a_long_next_in_one_tab_leaves_the_four_others_usable(visitor: Visitor, place: int, clock: Clock) -> None:
    paths = [f"/desk?tab={tab}" for tab in range(5)]
    paths[place] = LONG
    started = []
    for path in paths:
        started.append(visitor.begin(path))
        clock.move(1)

    for path, url in zip(paths, started, strict=True):
        response = visitor.get(visitor.answer(url))
        assert response.status_code == 303, response.text
        assert response.location == (path if path != LONG else "/")


def test_a_long_next_is_kept_while_there_is_room(visitor: Visitor) -> None:
    assert visitor.get(visitor.answer(visitor.begin(LONG))).location == LONG


@pytest.mark.covers("X14")
def test_five_long_ones_all_end(visitor: Visitor) -> None:
    started = [visitor.begin(LONG) for _ in range(5)]

    ends = [visitor.get(visitor.answer(url)).location for url in started]

    assert ends == ["/"] * 5


def test_a_login_without_its_next_lives_no_longer_than_before(visitor: Visitor, clock: Clock) -> None:
    first = visitor.begin(LONG)
    clock.move(300)
    visitor.begin("/desk")

    cookie = next(cookie for cookie in visitor.cookies if cookie.key.startswith("cobot_oidc_"))
    assert cookie.max_age == 300
    answer = visitor.answer(first)
    clock.move(301)
    assert visitor.get(answer).status_code == 400


@pytest.mark.covers("X14")
def test_long_names_push_nobody_out(visitor: Visitor, cobot: StandIn, clock: Clock) -> None:
    places = {"/": cobot.issuer} | {
        f"/{space}/open": cobot.space_issuer(space) for space in ("co-up", "betahaus", "nebenan")
    }
    for path, issuer in places.items():
        digits = b"".join(sha256(f"{issuer}{number}".encode()).digest() for number in range(25))
        name = "".join(chr(0x4E00 + 80 * digits[place] + digits[place + 1] % 80) for place in range(0, 800, 2))
        cobot.alter("id_token_claims", {"name": name}, issuer=issuer)
        visitor.log_in(path.removesuffix("open") + "desk", "grace")
        clock.move(1)

    for path in places:
        page = visitor.get(path).json
        assert page is not None
        assert page["user"], path
        assert page["claims"]["email"] == "grace@example.org"


@pytest.mark.covers("X14")
def test_an_identity_over_its_share_loses_its_longest_claim_alone(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_CLAIMS="name email groups"), cobot)
    cobot.alter("id_token_claims", {"groups": _hashes(8)})
    visitor.log_in("/desk", "grace")
    visitor.log_in("/co-up/desk", "grace")
    clock.move(1)
    before = [visitor.get(path).json for path in ("/", "/co-up/open")]
    cobot.alter("id_token_claims", {"groups": _hashes(66)})
    visitor.log_in("/betahaus/desk", "grace")

    assert [visitor.get(path).json for path in ("/", "/co-up/open")] == before
    page = visitor.get("/betahaus/open").json
    assert page is not None
    assert page["user"].endswith("#0a1b2c3d4e5f60718293a4b5c6d7e8f9")
    assert page["space"] == "betahaus"
    assert page["claims"]["name"] == "Grace B. Hopper"
    assert "groups" not in page["claims"]


def test_six_usual_identities_stay_as_they_are(visitor: Visitor, cobot: StandIn, clock: Clock) -> None:
    usual = {
        "name": "Grace Brewster Murray Hopper",
        "email": "grace.hopper@example.org",
        "picture": "https://assets.cobot.example/users/0a1b2c3d4e5f60718293a4b5c6d7e8f9/grace.png",
        "phone_number": "+49 30 1234567",
    }
    cobot.alter("id_token_claims", usual)
    cobot.spaces.update({f"space-{number}": "Space" for number in range(5)})
    spaces = ("", *(f"space-{number}/" for number in range(5)))
    for space in spaces:
        visitor.log_in(f"/{space}desk", "grace")
        clock.move(61)

    for space in spaces:
        page = visitor.get(f"/{space}open" if space else "/").json
        assert page is not None
        assert page["claims"].items() >= usual.items()
