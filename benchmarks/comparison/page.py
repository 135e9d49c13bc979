"""The blocks of docs/comparison.md that ``make comparison`` writes; all else on that page is written by hand."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
BLOCK = re.compile(
    r"<!-- comparison (?P<name>[a-z]+): written by make comparison -->\n(?P<text>.*?)<!-- end of comparison -->",
    re.DOTALL,
)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def brought_up_to_date(page: str, blocks: Mapping[str, str]) -> str:
    """The page with these blocks.

    :raises ValueError: if the page has other blocks.
    """
    if (places := [block["name"] for block in BLOCK.finditer(page)]) != list(blocks):
        raise ValueError(f"The page has the blocks {places}, not {list(blocks)}.")

    def written(block: re.Match[str]) -> str:
        name = block["name"]
        return f"<!-- comparison {name}: written by make comparison -->\n{blocks[name]}\n<!-- end of comparison -->"

    return BLOCK.sub(written, page)
