"""Whatever a path or a link looks like: what is asked is below the API's own URL, and nowhere else."""

from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cobot_oidc import APIError
from cobot_oidc.api.addresses import Addresses

API_1, API_2 = "https://co-up.cobot.example", "https://api.cobot.example/v2"
ADDRESSES = Addresses(API_1, API_2, "https://www.cobot.example")

ENCODED = st.sampled_from(["%2e", "%2E%2e", "%25", "%252e", "%2f", "%5c", "%", "%%"])
PIECES = st.sampled_from(
    ["/", "//", "\\", ".", "..", "@", ":", ":80", "?", "#", ";", "~", "https:", "https://", "/api/"]
)
OTHERS = st.sampled_from(["bookings", "evil.example", "\t", "\n", "\r\n", " ", "\0", "ü", "\u2024"]) | st.text(
    max_size=2
)
TEXTS = st.lists(PIECES | ENCODED | OTHERS, max_size=8).map("".join)


def sent_to(url: str) -> tuple[str, str]:
    """The origin and the path that requests would really ask for."""
    parts = urlsplit(requests.Request("GET", url).prepare().url or "")
    assert not parts.username
    return f"{parts.scheme}://{parts.netloc}", parts.path


@given(st.just("/").flatmap(lambda slash: TEXTS.map(lambda text: slash + text)) | TEXTS)
@pytest.mark.covers("A14")
def test_a_path_stays_below_the_api(path: str) -> None:
    try:
        url = ADDRESSES.url(path)
    except APIError as error:
        assert error.code == "address_forbidden"  # noqa: PT017 # either is right
        return
    origin, asked = sent_to(url)
    base = urlsplit(API_1 if path.startswith("/api/") else API_2)
    assert origin == f"{base.scheme}://{base.netloc}"
    assert asked.startswith(f"{base.path}/")
    assert not {".", ".."} & set(unquote(unquote(asked)).split("/"))


@given(TEXTS.map(lambda text: API_2 + text) | TEXTS.map(lambda text: f"{API_2}/{text}") | TEXTS)
@pytest.mark.covers("A11")
def test_a_link_stays_below_the_second_generation(link: str) -> None:
    try:
        url = ADDRESSES.followed(link)
    except APIError as error:
        assert error.code == "address_forbidden"  # noqa: PT017 # either is right
        return
    assert url == link
    origin, asked = sent_to(url)
    assert origin == "https://api.cobot.example"
    assert asked.startswith("/v2/")
    assert not {".", ".."} & set(unquote(unquote(asked)).split("/"))


@pytest.mark.parametrize("path", ["/bookings", "/bookings/1", "/bookings/a:b@c", "/v2"])
def test_a_plain_path_is_below_the_second_generation(path: str) -> None:
    assert ADDRESSES.url(path) == API_2 + path


@pytest.mark.parametrize("path", ["/api", "/apis/1", "/API/user"])
def test_only_what_is_below_api_is_of_the_first_generation(path: str) -> None:
    assert ADDRESSES.url(path) == API_2 + path
    assert ADDRESSES.url("/api/user") == f"{API_1}/api/user"


def test_a_link_below_the_api_is_followed() -> None:
    link = f"{API_2}/bookings?page[number]=2&filter[from]=2027-01-01T00:00:00+01:00"

    assert ADDRESSES.followed(link) == link
    assert ADDRESSES.followed(None) is None
