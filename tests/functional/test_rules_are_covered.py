"""The unit tests of the rules reach every branch of them, and need no other test for it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_branch_of_the_rules(tmp_path: Path) -> None:
    settings = tmp_path / "coverage.ini"
    settings.write_text(
        f"[run]\nbranch = true\nsource = badges/rules\ndata_file = {tmp_path / 'coverage'}\n"
    )
    options = [f"--rcfile={settings}"]
    tests = ["pytest", "-q", "-p", "no:cacheprovider", "tests/unit/badges/rules"]
    coverage(["run", *options, "-m", *tests])
    coverage(["report", *options, "--show-missing", "--fail-under=100"])


def coverage(arguments: list[str]) -> None:
    # What pytest and its workers tell one another is not for the tests of that run.
    outer = ("PYTEST_", "COV_", "COVERAGE_")
    done = subprocess.run(
        [sys.executable, "-m", "coverage", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(outer)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
