"""The samples of README.md and docs/: every fenced block of code, with its page and heading."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]

_BLOCK_OR_HEADING = re.compile(
    r"^#+ (?P<heading>.*)$"
    r"|^(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>.*)\n(?P<code>(?:.*\n)*?)(?P=indent)(?P=fence)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One block.

    :ivar place: the page and the heading, with a number if there are several: ``README.md, Ten lines``.
    :ivar line: of the page, on which the code begins.
    """

    place: str
    language: str
    code: str
    page: Path
    line: int

    def run(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """Execute a Python sample; its tracebacks show the page's own lines."""
        padded = "\n" * (self.line - 1) + self.code
        exec(compile(padded, self.page, "exec", dont_inherit=True), namespace)  # noqa: S102 - our own pages
        return namespace


def samples() -> list[Sample]:
    """All of them, in the order of the pages."""
    found: list[Sample] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        heading, number = "", 0
        for match in _BLOCK_OR_HEADING.finditer(text):
            if match["heading"] is not None:
                heading, number = match["heading"], 0
                continue
            number += 1
            place = f"{page.relative_to(REPOSITORY)}, {heading}" + (f" ({number})" if number > 1 else "")
            line = text.count("\n", 0, match.start("code")) + 1
            found.append(Sample(place, match["language"].strip(), match["code"], page, line))
    return found
