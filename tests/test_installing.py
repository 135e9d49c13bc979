"""What ``make`` says while it installs: a line that counts on a terminal, one line in a log, pip itself on failure."""

import hashlib
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

INSTALL = [sys.executable, str(Path(__file__).parents[1] / "tools" / "install_packages.py")]


def a_wheel(folder: Path, name: str) -> str:
    """Make a package of one module, and return its line of a lock file."""
    file, about = folder / f"{name}-1-py3-none-any.whl", f"{name}-1.dist-info"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return f"{name}==1 \\\n    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    lines = [a_wheel(tmp_path, name) for name in ("apples", "pears", "quinces")]
    not_here = "plums==1 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "0" * 64 + "\n"
    file = tmp_path / "lock.txt"
    file.write_text("".join([*lines, not_here]), encoding="utf-8")
    return file


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """pip looks into one folder, and installs into another."""
    wanted = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_TARGET": str(tmp_path / "target")}
    return os.environ | wanted | {"PIP_CONFIG_FILE": os.devnull}


def test_a_log_gets_one_line(lock: Path, offline: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run([*INSTALL, str(lock)], env=offline, capture_output=True, text=True, check=True)  # noqa: S603

    assert done.stdout == ""
    assert re.fullmatch(rf"Installed the 4 packages of {re.escape(str(lock))}\. \(\d+ s\)\n", done.stderr)
    assert (tmp_path / "target" / "pears.py").exists()


def test_a_terminal_sees_how_far_it_is(lock: Path, offline: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen([*INSTALL, str(lock)], env=offline, stderr=theirs) as process:  # noqa: S603 - our own
        os.close(theirs)
        said = b""
        while chunk := read(ours):
            said += chunk
    os.close(ours)

    assert process.returncode == 0
    lines = said.decode().split("\r\x1b[K")
    counted = [int(match[1]) for line in lines if (match := re.match(r"(\d) of 4 packages found \(", line))]
    assert counted == sorted(counted)
    assert max(counted) == 4
    assert any(line.startswith("unpacking 3 packages, ") for line in lines)
    assert lines[-1].startswith("Installed the 4 packages of ")
    assert all(len(line) < 80 for line in lines[:-1])


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_if_pip_fails_its_own_words_are_shown(lock: Path, offline: dict[str, str]) -> None:
    lock.write_text(lock.read_text(encoding="utf-8").replace("pears==1", "pears==2"), encoding="utf-8")

    failed = subprocess.run([*INSTALL, str(lock)], env=offline, capture_output=True, text=True)  # noqa: S603 - our own

    assert failed.returncode == 1
    assert failed.stderr.startswith(f"pip could not install {lock}:")
    assert "No matching distribution found for pears==2" in failed.stderr
