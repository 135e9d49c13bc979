"""What nobody sees makes a claim unfit, but for what Persian, Indic scripts and emoji cannot do without (20)."""

import json
from string import ascii_letters, digits

import pytest

from cobot_oidc.protocol import Claims

from .tokens import as_json, claims, token, verify

INVISIBLE = {
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "ALM": "\u061c",
    "Hangul filler": "\u3164",
    "zero-width space": "\u200b",
    "LRM": "\u200e",
    "RLM": "\u200f",
    "RLO": "\u202e",
    "word joiner": "\u2060",
    "invisible times": "\u2062",
    "isolate": "\u2067",
    "deprecated": "\u206a",
    "byte order mark": "\ufeff",
    "interlinear annotation": "\ufff9",
    "musical": "\U0001d173",
    "tag": "\U000e0041",
}
PLACES = {
    "first": "{}Ada",
    "last": "Ada{}",
    "inside": "A{}da",
    "alone": "{}",
    "in Arabic": "عل{}ی",
    "in kanji": "村{}上",
}


def named(name: str) -> Claims:
    return verify(token(claims(name=name)))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("character", INVISIBLE)
def test_a_name_with_what_nobody_sees_is_no_name(character: str, place: str) -> None:
    assert named(PLACES[place].format(INVISIBLE[character])).name is None


def test_it_is_found_however_the_token_is_written() -> None:  # the look at a whole payload spares none
    plain = json.dumps(claims(name="A\u200eda"), ensure_ascii=False).encode()
    escaped = as_json(claims(name="A\u200eda"))
    assert b"\\u200e" in escaped

    assert verify(token(plain)).name is None
    assert verify(token(escaped)).name is None
    assert "nick\u200e" not in verify(token(claims(**{"nick\u200e": "Ada", "address": {"x": "y\u00ad"}})))
    assert "address" not in verify(token(claims(address={"x": "y\u00ad"})))


@pytest.mark.parametrize(
    "name",
    [
        "امیر\u200cعلی",  # Persian: ZWNJ between letters
        "می\u200cخواهم",
        "क्\u200dष",  # Devanagari: ZWJ after a virama
        "ශ්\u200dරී ලංකා",  # Sinhala
        "ক্\u200cষ",  # Bengali
        "മോഹന്\u200d",  # Malayalam: chillu, at the end of a word
        "മോഹന്\u200d ലാല്\u200d",
        "Ada 👩\u200d🚀",  # emoji
        "👩🏽\u200d🚀",
        "👩\u200d❤\ufe0f\u200d👨",
        "🏳\ufe0f\u200d🌈",
        "🙂\u200d↔\ufe0f",
        "Ada ❤\ufe0f",
        "1\ufe0f\u20e3",
        "葛\U000e0100城",  # a variant of a kanji
        "ᠮᠣᠩᠭᠣᠯ\u180b",  # Mongolian
        "ب\u200dـ",  # Arabic: a modifier letter joins too
        "José Ünal-O’Neill",
        "村上 春樹",
        "Ａｄａ",
    ],
)
def test_a_name_that_needs_it_stays(name: str) -> None:
    assert named(name).name == name


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
@pytest.mark.parametrize(
    "name",
    [
        "{}علی",
        "علی{}",
        "علی{} رضا",
        "علی {}رضا",
        "امیر{0}{0}علی",
        "A{}da",
        "Ada{}",
        "{}Ada",
        "Ada{} Lovelace",
        "Ж{}ук",
        "村{}上",
        "김{}민",
        "علی{}Ada",
        "{}",
        "{0}{0}",
        "👩{}",
        "{}👩",
        "👩{0}{0}🚀",
        "ന്{0}{0}",
    ],
)
def test_a_joiner_that_joins_nothing_is_unfit(name: str, joiner: str) -> None:
    assert named(name.format(joiner)).name is None


@pytest.mark.parametrize("name", ["\ufe0fAda", "Ad\ufe00a", "Ada \ufe0f", "❤\ufe0f\ufe0f", "A\U000e0100da", "\u180b"])
def test_a_variation_of_nothing_is_unfit(name: str) -> None:
    assert named(name).name is None


def test_ordinary_letters_beside_one_that_needs_a_joiner_stay() -> None:
    name = "\u0645\u06cc\u200c\u062e (" + ascii_letters + digits + "[]-.')"

    assert named(name).name == name


def test_a_titlecase_letter_is_latin_text_too() -> None:
    assert named("ǅ\ufe0f").name is None
