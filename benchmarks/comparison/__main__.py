"""``python -m benchmarks.comparison [PAGE]`` plays all cases with all peers, and writes the page's tables."""

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from .cases import LIES, NETWORK, Case, Stage
from .page import PAGE, brought_up_to_date, table
from .peers import PEERS, Peer
from .provider import ACCESS_TOKEN

Cells = dict[str, str]


def played(peer: Peer, cases: Iterable[Case]) -> Cells:
    """The outcomes by the title of the case."""
    stage = Stage(peer)
    cells: Cells = {}
    try:
        for case in cases:
            cells[case.title] = case.outcome(stage)
            print(f"{peer.name}: {case.title}: {cells[case.title]}", file=sys.stderr)
    finally:
        stage.close()
    return cells


def measured(peer: Peer) -> Cells:
    """What can be seen of one login in which nothing is wrong."""
    stage = Stage(peer)
    try:
        browser = stage.browser()
        asked = browser.begin()
        browser.come_back(browser.allow(asked))
        is_readable = browser.reads_in_cookies(ACCESS_TOKEN)
        return {
            "Lines of its app in `benchmarks/comparison/apps`": str(peer.lines),
            "Types come with it": "yes" if peer.has_types else "no",
            "PKCE (S256)": "yes" if asked.get("code_challenge_method") == "S256" else "no",
            "`nonce`": "yes" if "nonce" in asked else "no",
            "Cookies after a login, bytes": str(sum(len(name + value) + 1 for name, value in browser.cookies.items())),
            "The access token can be read in a cookie": "yes" if is_readable else "no",
            "Requests to the provider for the first login": str(sum(stage.provider.asked.values())),
        }
    finally:
        stage.close()


def of_all(peers: Sequence[Peer], ask: Callable[[Peer], Cells]) -> str:
    """Ask everybody at the same time: a table with a row for each question."""
    with ThreadPoolExecutor(len(peers)) as pool:
        answers = list(pool.map(ask, peers))
    rows = [[title, *(cells[title] for cells in answers)] for title in answers[0]]
    return table(["", *(peer.name for peer in peers)], rows)


def main() -> None:
    """Play, and write the page anew."""
    peers = [peer for peer in PEERS if peer.is_installed]
    if missing := [peer.name for peer in PEERS if peer not in peers]:
        sys.exit(f"{', '.join(missing)} cannot be compared: Node.js or its packages are missing.")
    today = datetime.now(UTC).date().isoformat()
    blocks = {
        "versions": f"Played on {today} with {', '.join(f'{peer.name} {peer.version}' for peer in peers)}.",
        "login": of_all(peers, measured),
        "network": of_all(peers, lambda peer: played(peer, NETWORK)),
        "lies": of_all(peers, lambda peer: played(peer, LIES)),
    }
    page = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    page.write_text(brought_up_to_date(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
