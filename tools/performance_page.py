"""``python -m tools.performance_page FOLDER`` brings docs/performance.md up to what ``make bench`` printed.

The folder holds what each script printed, as ``<script>.md``. The page's prose is written by hand; a table, and the
heading that it stands under, come from the script alone.
"""

import re
import sys
from pathlib import Path

from benchmarks.tables import BLOCK, TABLES

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

_SECTION = re.compile(r"^(?=## )", re.MULTILINE)


def printed(folder: Path) -> dict[str, str]:
    """What the scripts printed: the name of a table, and the table with its markers.

    :raises ValueError: if a script printed a table that is another's.
    """
    blocks: dict[str, str] = {}
    for file in sorted(folder.glob("*.md")):
        for block in BLOCK.finditer(file.read_text(encoding="utf-8")):
            table = TABLES[block["name"]]
            if table.script != file.stem:
                raise ValueError(f"{table.name} is a table of benchmarks/{table.script}.py, not of {file.stem}.py")
            blocks[table.name] = block[0]
    return blocks


def brought_up_to_date(page: str, blocks: dict[str, str]) -> str:
    """The page with these tables, each in its own section.

    :raises ValueError: if a section has no place for its table.
    """
    sections = _SECTION.split(page)
    for name, block in blocks.items():
        places = [
            (number, old)
            for number, section in enumerate(sections)
            if section.startswith(f"## {TABLES[name].heading}\n")
            for old in BLOCK.finditer(section)
            if old["name"] == name
        ]
        if len(places) != 1:
            raise ValueError(
                f"'## {TABLES[name].heading}' needs one place for the table {name}: a block as the script prints it"
            )
        number, old = places[0]
        sections[number] = sections[number][: old.start()] + block + sections[number][old.end() :]
    return "".join(sections)


def main() -> None:
    """Write the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(brought_up_to_date(page, printed(Path(sys.argv[1]))), encoding="utf-8")


if __name__ == "__main__":
    main()
