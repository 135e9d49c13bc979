"""The files of docs/how-to/servers.md, as the page prints them, with a test's own host, ports and folders."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from ..samples import REPOSITORY, Sample, samples

PAGE = REPOSITORY / "docs" / "how-to" / "servers.md"
APP, NGINX, APACHE = "The app", "nginx in front", "Apache with mod_wsgi"
BEHIND_NGINX = ("gunicorn with threads", "gunicorn with gevent", "waitress", "uWSGI")
EVERYWHERE = (*BEHIND_NGINX, APACHE)


def blocks(heading: str) -> list[Sample]:
    """What stands below a heading of the page."""
    found = [each for each in samples() if each.page == PAGE and each.place.partition(", ")[2].startswith(heading)]
    assert found, f"{PAGE.name} has no section {heading!r}"
    return found


def write(heading: str, folder: Path, changes: Mapping[str, str]) -> None:
    """Write each file that stands below a heading; its first line names it.

    :param changes: texts of the page, and what stands for them here.
    """
    for block in blocks(heading):
        if block.language != "shell":
            first_line = block.code.partition("\n")[0]
            name = first_line.removeprefix("# ").rpartition("/")[2]
            (folder / name).write_text(changed(block.code, changes), encoding="utf-8")


def command(heading: str, changes: Mapping[str, str]) -> list[str]:
    """The command below a heading, in words."""
    [block] = [block for block in blocks(heading) if block.language == "shell"]
    return shlex.split(changed(block.code, changes))


def changed(text: str, changes: Mapping[str, str]) -> str:
    for there, here in changes.items():
        text = text.replace(there, here)
    return text
