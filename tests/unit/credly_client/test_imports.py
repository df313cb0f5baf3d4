"""The library stands alone: what it imports is checked in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OURS = ("badges", "consumer", "credentials", "events", "settings")
LIST = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}; {LIST}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_client_imports_no_django_and_nothing_of_the_service() -> None:
    names = loaded("credly_client.client")
    assert "requests" in names
    assert not names & {"django", *OURS}


@pytest.mark.parametrize("module", ["credly_client.requests", "credly_client.responses"])
def test_the_pure_parts_import_no_transport(module: str) -> None:
    assert not loaded(module) & {"django", "requests", "urllib3", *OURS}


def test_sandbox_imports_the_standard_library_only() -> None:
    names = loaded("credly_client.sandbox.command")
    allowed = sys.stdlib_module_names | {"credly_client", "__main__", "sitecustomize"}
    bare = subprocess.run(
        [sys.executable, "-c", LIST], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert names - allowed <= set(bare.stdout.split())
