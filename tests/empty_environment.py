"""An environment as after ``pip install`` of our wheel: what the wheel asks for, and nothing that only tests need.

Nothing is fetched: what it needs is linked from the environment that the tests run in.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def environment_with(wheel: Path, folder: Path, *, extras: Iterable[str] = ()) -> Path:
    """Make one, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)  # noqa: S603 - our own
    [packages] = (folder / "lib").glob("python3.*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    [own] = (each for each in Distribution.discover(path=[str(packages)]) if each.name == "cobot-oidc")
    link_needed(own, packages, extras=extras)
    return folder / "bin" / "python"


def link_needed(own: Distribution, packages: Path, *, extras: Iterable[str]) -> None:
    """Link what a distribution asks for into a folder."""
    for needed in _needed(own, set(extras)):
        for part in {file.parts[0] for file in needed.files or () if file.parts[0] not in ("..", "__pycache__")}:
            link = packages / part
            if not link.exists():
                link.symlink_to(Path(str(needed.locate_file(part))))


def _needed(own: Distribution, extras: set[str]) -> Iterator[Distribution]:
    """What this one asks for, and what those ask for in turn."""
    waiting, seen = [(own, extras)], set()
    while waiting:
        asking, with_extras = waiting.pop()
        for requirement in map(Requirement, asking.requires or ()):
            if requirement.marker and not any(requirement.marker.evaluate({"extra": e}) for e in with_extras | {""}):
                continue
            found = distribution(requirement.name)
            assert requirement.specifier.contains(found.version, prereleases=True)
            if canonicalize_name(found.name) not in seen:
                seen.add(canonicalize_name(found.name))
                waiting.append((found, set(requirement.extras)))
                yield found
