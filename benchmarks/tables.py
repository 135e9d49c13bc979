"""The tables that the scripts print: which script prints which, and under which heading of docs/performance.md.

Imports nothing that has to be installed, so that ``tools.performance_page`` and the tests can read it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BLOCK = re.compile(r"<!-- table (?P<name>[a-z-]+): .* -->\n(?P<text>(?:\|.*\|\n)+)<!-- end of table -->")


@dataclass(frozen=True, slots=True)
class Table:
    """One table, before anything was measured.

    :ivar name: in the marker around it. :ivar script: the module of ``benchmarks`` that prints it.
    :ivar heading: of the section in docs/performance.md. :ivar columns: their titles.
    """

    name: str
    script: str
    heading: str
    columns: tuple[str, ...]

    @property
    def head(self) -> str:
        """The row of titles."""
        return _row(self.columns)

    def filled(self, rows: Iterable[Sequence[object]]) -> str:
        """The table as Markdown, within the markers by which docs/performance.md takes it over."""
        lines = [f"<!-- table {self.name}: written by make bench SCRIPTS={self.script} -->", self.head]
        lines.append("|" + "---|" * len(self.columns))
        for row in rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name} has {len(self.columns)} columns, not {len(row)}")
            lines.append(_row(row))
        return "\n".join([*lines, "<!-- end of table -->"])


def _row(cells: Sequence[object]) -> str:
    return "".join(f"| {cell} " if cell != "" else "| " for cell in cells) + "|"


_A_LOGIN = ("", "warm, × the least", "ms", "cold: callback, ms", "requests", "connections")

VERIFICATION = Table(
    "verification",
    "verification",
    "Verifying an id token",
    ("", "RS256, × raw", "µs", "ES256, × raw", "µs", "EdDSA, × raw", "µs"),
)
PAGE_VIEW = Table(
    "page-view", "page_view", "A page view of somebody who is logged in", ("", "× Flask", "µs", "cookie, bytes")
)
GUNICORN_PAGES = Table(
    "gunicorn-pages", "gunicorn_pages", "A page view of somebody who is logged in", ("", "× Flask", "pages a second")
)
STARTUP = Table("startup", "startup", "From the start of a process to its first answer", ("", "× Flask", "ms on top"))
LOGIN_NEXT_DOOR = Table("login-next-door", "login", "A login", _A_LOGIN)
LOGIN_FAR_AWAY = Table("login-far-away", "login", "A login", _A_LOGIN)
ROTATION = Table(
    "rotation",
    "rotation",
    "Keys that change, and keys that somebody invents",
    (
        "fetches of the key set (tokens verified)",
        "rotated, 64 at once",
        "the same right after a fetch",
        "1 000 invented keys",
        "the same, 64 at once",
    ),
)
ISSUERS = Table(
    "issuers", "issuers", "Many issuers", ("10 000 issuers", "KiB for each", "full garbage collection, ms more")
)
SOAK = Table(
    "soak",
    "soak",
    "A long day",
    (
        "",
        "logins",
        "refused (502, 503)",
        "lost",
        "pages",
        "sessions lost",
        "requests to the provider",
        "slowest, s",
    ),
)

STRANGER = Table(
    "stranger",
    "stranger",
    "A stranger's worst minute",
    ("", "logins", "of them ended well", "pages within 0.5 s", "requests to the provider"),
)

API_LIMIT = Table(
    "api-limit",
    "api",
    "Cobot's API",
    ("200 calls of one user", "processes", "answered", "429", "× the time that the limit allows"),
)
API_PAGES = Table(
    "api-pages",
    "api",
    "Cobot's API",
    (
        "10 pages of 200 resources",
        "next door, × requests",
        "ms",
        "20 ms away, × requests",
        "ms",
        "connections",
        "peak memory, × one page",
    ),
)
API_MEMBERSHIP = Table("api-membership", "api", "Cobot's API", ("a page view", "× login_required", "µs"))

TABLES = {
    table.name: table
    for table in (
        VERIFICATION,
        PAGE_VIEW,
        GUNICORN_PAGES,
        STARTUP,
        LOGIN_NEXT_DOOR,
        LOGIN_FAR_AWAY,
        ROTATION,
        ISSUERS,
        SOAK,
        STRANGER,
        API_LIMIT,
        API_PAGES,
        API_MEMBERSHIP,
    )
}
