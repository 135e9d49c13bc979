"""The portal speaks German and English throughout: every sentence is translated, and the compiled ones are those."""

import io
import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.lexer import TOKEN_DATA

APP = Path(__file__).parents[2] / "example_app"
GERMAN = APP / "translations" / "de" / "LC_MESSAGES" / "messages.po"
SAME_IN_BOTH = {"PDF"}


def written() -> set[str | tuple[str, ...]]:
    """Every sentence that the templates and modules translate."""
    found = extract_from_dir(APP, [("**.py", "python"), ("**.html", "jinja2")], {"**.html": {"silent": "false"}})
    return {message for _, _, message, _, _ in found}


def test_every_sentence_is_in_german() -> None:
    with GERMAN.open("rb") as file:
        catalogue = read_po(file)
    translated = {entry.id if isinstance(entry.id, str) else tuple(entry.id): entry for entry in catalogue if entry.id}

    assert written() == translated.keys()
    for entry in translated.values():
        assert entry.string
        assert all(entry.string)
        assert not entry.fuzzy
        assert not list(entry.check(catalogue))  # the same places for names


def test_what_is_compiled_is_what_is_written() -> None:
    compiled = io.BytesIO()
    with GERMAN.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    with GERMAN.with_suffix(".mo").open("rb") as file:
        committed = read_mo(file)

    assert [(m.id, m.string) for m in read_mo(compiled)] == [(m.id, m.string) for m in committed], "make translations"


def test_no_words_stand_in_a_template_untranslated() -> None:
    left: set[str] = set()
    for path in APP.glob("templates/**/*.html"):
        tokens = Environment().lex(path.read_text(encoding="utf-8"))  # noqa: S701 - nothing is rendered
        # What Jinja fills in might be the inside of a tag, so it leaves a trace.
        page = "".join(value if kind == TOKEN_DATA else "\0" for _, kind, value in tokens)
        words = re.sub(r"<!--.*?-->|<[^>]*>|&\w+;", " ", page, flags=re.DOTALL)
        left.update(re.findall(r"[^\W\d_]{2,}", words))

    assert left <= SAME_IN_BOTH
