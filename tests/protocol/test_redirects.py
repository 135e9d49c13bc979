"""Where a browser may be sent: R01-R05. The judge is where a browser would go, not how a payload looks."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobot_oidc.protocol import safe_next

ORIGIN = "https://app.example"


def goes_to(value: str) -> str | None:
    """The host that a browser ends at (WHATWG URL), from a page at ``ORIGIN``; ``None`` where it stays.

    The standard's steps that matter here: control characters and spaces around are stripped, tabs and newlines go,
    ``\\`` counts as ``/``, a scheme leaves the page, two slashes begin a host.
    """
    url = value.strip("".join(map(chr, range(0x21)))).translate({9: None, 10: None, 13: None})
    url = url.replace("\\", "/")
    if url.startswith("//"):
        return url.lstrip("/")
    if url.startswith("/") or not url:
        return None
    return url


CLASSICS = [  # R02
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/%09/evil.example",
    "/%5cevil.example",
    "/%2f%2fevil.example",
    "/%2fevil.example",
    "/%252fevil.example",
    "/%25252fevil.example",
    "https:evil.example",
    "http:/evil.example",
    "https://evil.example",
    "HtTpS://evil.example",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "/..//evil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "/%2e%2e//evil.example",
    "/%2e/evil",
    "/../evil",
    "/./evil",
    "/a/%2e%2e/%2e%2e/evil",
    "/;@evil.example",
    "/;/evil.example",
    "/%3b/evil.example",
    "/..;/evil.example",
    "/a/.;x/b",
    "https://app.example@evil.example",
    "https://app.example.evil.example",
    "//app.example\\@evil.example",
    "/\u2215evil.example",
    "\uff0f\uff0fevil.example",
    "/\u3002evil",
    "/\0/evil.example",
    "/%00/evil.example",
    " //evil.example",
    "\ufeff//evil.example",
    "/ /evil.example",
    "/x%0d%0aSet-Cookie:a=b",  # R03
    "/x\r\nSet-Cookie:a=b",
    "/x%0aLocation:%20https://evil.example",
    "/x%250d%250a",
    '/"onmouseover="x',
    "/'x",
    "/<script>",
    "/x>",
    "evil.example",
    "?x=1",
    "#x",
    "",
    "/%ff%5c",
    "/" + "x" * 2048,
]


@pytest.mark.covers("R02", "R03")
@pytest.mark.parametrize("payload", CLASSICS)
def test_no_classic_is_taken(payload: str) -> None:
    assert safe_next(payload) is None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/desk",
        "/co-up/desk?day=today&q=a+b#top",
        "/desk?next=//evil.example",
        "/desk?url=https://evil.example/",
        "/desk#//evil.example",
        "/a%20b",
        "/100%25",
        "/%E6%9D%91%E4%B8%8A",
        "/a;b=c/d",
        "/@evil.example",
        "/a:b",
        "/.well-known/x",
        "/a..b/c.",
        "/...",
        "/x" * 1024,
    ],
)
def test_a_path_of_ours_is_taken_as_it_is(path: str) -> None:
    assert safe_next(path) == path
    assert goes_to(path) is None


def test_no_next_is_no_path() -> None:
    assert safe_next(None) is None


ODD = st.sampled_from(
    [*list("/\\.%:@;?#& \t\r\n\x00\"'<>aZ09"), "%2f", "%5c", "%2e", "%25", "%0a", "//", "..", "é", "／"]
)


@pytest.mark.covers("R01")
@given(st.one_of(st.text(), st.lists(ODD, max_size=12).map("".join), st.lists(ODD, max_size=12).map("/{}".format)))
def test_whatever_is_taken_stays_here(value: str) -> None:
    if safe_next(value) is not None:
        seen = value
        for _ in range(4):
            assert goes_to(seen.split("?")[0].split("#")[0]) is None
            seen = unquote(seen.split("?")[0].split("#")[0])
        assert value.isascii()
        assert value.isprintable()


@pytest.mark.covers("R05")
@given(st.lists(ODD, max_size=12).map("".join))
def test_the_rule_answers_the_same_twice(value: str) -> None:
    taken = safe_next(value)
    assert taken in (None, value)
    assert safe_next(taken) == taken
