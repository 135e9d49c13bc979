"""JSON with one meaning: RFC 8259, RFC 7493. The names of cases follow the public JSON parsing suites."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobot_oidc.protocol.strict_json import DEEPEST, LARGEST_INTEGER, JSONError, loads

GOOD: list[tuple[bytes, Any]] = [
    (b"{}", {}),
    (b"[]", []),
    (b' \t\r\n{"a" : [1 , 2]}\n', {"a": [1, 2]}),
    (b'"x"', "x"),
    (b"0", 0),
    (b"-0", 0),
    (b"-0.0", 0.0),
    (b"1E2", 100.0),
    (b"1e-400", 0.0),
    (b"[123e65]", [123e65]),
    (b"-9007199254740992", -(2**53)),
    (b"9007199254740992", 2**53),
    (b'"\\ud834\\udd1e"', "\U0001d11e"),
    (b'"\\u0000"', "\0"),
    (b'"\\/\\b\\f\\n\\r\\t\\"\\\\"', '/\b\f\n\r\t"\\'),
    ('"€𝄞\u2028"'.encode(), "€𝄞\u2028"),
    (b'{"a":{"b":1},"b":{"a":1}}', {"a": {"b": 1}, "b": {"a": 1}}),
    (b"[" * DEEPEST + b"]" * DEEPEST, json.loads("[" * DEEPEST + "]" * DEEPEST)),
    (b'["' + b"[" * 100 + b'"]', ["[" * 100]),
    (b'["' + b"]" * 100 + b'"]', ["]" * 100]),
    (b'["\\\\","' + b"{" * 100 + b'\\""]', ["\\", "{" * 100 + '"']),
    (b'"' + b"[" * 100 + b'"', "[" * 100),
    (b'{"":0}', {"": 0}),
    # as deep as may be, with more brackets than levels
    (b"[" * 31 + b"[],{}" + b"]" * 31, json.loads("[" * 31 + "[],{}" + "]" * 31)),
    (b"[true,false,null]", [True, False, None]),
]

BAD: list[tuple[bytes, str]] = [
    *((text, "syntax") for text in (b"", b" ", b"{", b"}", b"[", b"[1,]", b"[,1]", b"[1 2]", b'{"a"}', b'{"a":}')),
    *((text, "syntax") for text in (b'{"a":1,}', b"{a:1}", b"{'a':1}", b"[1]x", b"{}{}", b"tru", b"True", b"nul")),
    *((text, "syntax") for text in (b"01", b"+1", b"1.", b".1", b"-", b"1e", b"1e+", b"0x1", b"1_0", b"--1", b"- 1")),
    *((text, "syntax") for text in (b'"\x01"', b'"\n"', b'"\t"', b'"\x00"', b'"\\x41"', b'"\\u12"', b'"\\u 123"')),
    *((text, "syntax") for text in (b'"', b'"\\"', b"//\n1", b"/*x*/1", b"1#x", b"\x0c1", b"\xc2\xa01", b"[1\x00]")),
    *((text, "number") for text in (b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"1e400", b"-1e9999")),
    *((text, "number") for text in (b"9007199254740993", b"-9007199254740993", b"9" * 5000, b"0." + b"1" * 5000)),
    *((text, "duplicate_name") for text in (b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'[{"x":{"y":1,"y":2}}]')),
    *(
        (text, "encoding")
        for text in (b"\xff", b'"\xc0\x80"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b'"\xf4\x90\x80\x80"')
    ),
    *((text, "surrogate") for text in (b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}', b'["a",{"b":"\\uDEAD"}]')),
    (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "too_deep"),
    (b'{"a":' * 50 + b"1" + b"}" * 50, "too_deep"),
    (b"[" * 100_000, "too_deep"),
    (b'["]",' * (DEEPEST + 1) + b"1" + b"]" * (DEEPEST + 1), "too_deep"),  # what strings hold closes nothing
    (b'["\\"]",' * (DEEPEST + 1) + b"1" + b"]" * (DEEPEST + 1), "too_deep"),
    (b'["\\\\","]",' * (DEEPEST + 1) + b"1" + b"]" * (DEEPEST + 1), "too_deep"),
    (b'[{"a":' * (DEEPEST // 2 + 1) + b"1" + b"}]" * (DEEPEST // 2 + 1), "too_deep"),
    # brackets in strings neither close what is outside of them, nor make up for it further on
    (b'["a",' + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1) + b',"]"]', "too_deep"),
    (b'["]",' * (DEEPEST + 1) + b"1" + b',"["]' * (DEEPEST + 1), "too_deep"),
    # more brackets than levels, and no end: as deep as may be, and hardly deep
    (b"[" * DEEPEST + b"]" * (DEEPEST - 1) + b",[", "syntax"),
    (b"[" + b"[]," * (DEEPEST + 1), "syntax"),
    (b'["' + b"[" * 100 + b'"', "syntax"),
    (b"[" * 20 + b'\\"' + b"]" * 20 + b"[" * 20, "syntax"),
    (b'[{"a":' * 50_000, "too_large"),
    (b"[" + b" " * 256 * 1024 + b"]", "too_large"),
    ("{}".encode("utf-16"), "encoding"),
    ("{}".encode("utf-16-be"), "syntax"),
    ("{}".encode("utf-32-le"), "syntax"),
]


@pytest.mark.parametrize(("text", "value"), GOOD)
def test_strict_json_is_read(text: bytes, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.covers("J16", "J18", "J19", "J20", "N04")
@pytest.mark.parametrize(("text", "reason"), BAD, ids=lambda case: repr(case)[:40])
def test_everything_else_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(JSONError) as caught:
        loads(text)
    assert caught.value.reason == str(caught.value) == reason


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_was_written_is_read(value: Any, escaped: bool) -> None:
    try:
        text = json.dumps(value, ensure_ascii=escaped).encode()
    except UnicodeEncodeError:
        return  # a name with half a character
    try:
        assert loads(text) == value
    except JSONError as error:
        assert error.reason == "surrogate"  # noqa: PT017 - as above, escaped


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        value = loads(data)
    except JSONError:
        return
    assert json.loads(data) == value
