"""The compiled translations are those of the texts beside them, whoever compiles them and whenever."""

import io
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

TEXTS = sorted((Path(__file__).parents[1] / "cobot_oidc" / "translations").glob("*/LC_MESSAGES/*.po"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.parents[1].name)
def test_compiling_again_changes_nothing(text: Path) -> None:
    compiled = io.BytesIO()
    with text.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    with text.with_suffix(".mo").open("rb") as file:
        committed = read_mo(file)

    again = read_mo(compiled)
    assert {m.id: m.string for m in again if m.id} == {m.id: m.string for m in committed if m.id}, "make translations"
    assert again.creation_date == committed.creation_date, "the .po file has to fix its dates"
    assert again.revision_date == committed.revision_date, "the .po file has to fix its dates"
