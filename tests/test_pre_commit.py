"""The hook before a commit: valid, from nowhere else, and the same as ``make lint``."""

import subprocess
import sys
from pathlib import Path

import pytest

clientlib = pytest.importorskip("pre_commit.clientlib", reason="only where the linters are installed")

CONFIGURATION = Path(__file__).parents[1] / ".pre-commit-config.yaml"


def test_the_configuration_is_valid_and_fetches_nothing() -> None:
    configuration = clientlib.load_config(str(CONFIGURATION))

    assert {repository["repo"] for repository in configuration["repos"]} == {"local"}
    hooks = [hook for repository in configuration["repos"] for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == ["make --no-print-directory lint"]
    assert not [hook for hook in hooks if hook.get("additional_dependencies")]


@pytest.mark.parametrize(("recipe", "status"), [("true", 0), ("echo too long; false", 1)])
def test_what_lint_refuses_is_not_committed(tmp_path: Path, recipe: str, status: int) -> None:
    (tmp_path / CONFIGURATION.name).write_text(CONFIGURATION.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "Makefile").write_text(f"lint:\n\t@{recipe}\n", encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S603, S607 - git

    hook = [sys.executable, "-m", "pre_commit", "run"]
    done = subprocess.run(hook, cwd=tmp_path, capture_output=True, text=True)  # noqa: S603 - our own

    assert done.returncode == status, done.stdout
    assert ("too long" in done.stdout) == bool(status)
