"""The client's manual is true, and the client stands alone: its examples run one after another in a
process that has nothing but the copied folder, against the sandbox that the manual starts.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from credly_client import errors
from credly_client.client import CredlyClient
from credly_client.errors import CredlyError
from credly_client.sandbox import Running, Sandbox
from credly_client.sandbox.faults import SWITCHES
from tests.functional.credly_sandbox.academy import TOKEN, Academy

FOLDER: Final = Path(errors.__file__).parent
README: Final = (FOLDER / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS: Final = [(found[1], found[2]) for found in BLOCK.finditer(README)]
ADDRESS: Final = "http://127.0.0.1:8090"


def section(heading: str) -> str:
    return README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def named(text: str, *, head: str) -> list[str]:
    """What stands in backticks in the first column of the table with this head."""
    rows = text.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_examples_say_what_they_print(tmp_path: Path, running: Running) -> None:
    shutil.copytree(FOLDER, tmp_path / "credly_client")
    code = "\n".join(text for kind, text in BLOCKS if kind == "python")
    assert code.count(ADDRESS) > 5
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace(ADDRESS, running.url)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout == "".join(text for kind, text in BLOCKS if kind == "text")


def test_the_sandbox_starts_as_told() -> None:
    told = [line for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]
    assert "$ python -m credly_client.sandbox --port 8090 --state sandbox.json" in told


def test_the_whole_folder_is_installed() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())
    packages = {
        ".".join(("credly_client", *path.parent.relative_to(FOLDER).parts))
        for path in FOLDER.rglob("__init__.py")
    }
    assert set(project["tool"]["setuptools"]["packages"]) == packages
    assert (FOLDER / project["project"]["readme"]).exists()
    assert "$ pip install ./credly_client" in README


def test_every_call_is_listed() -> None:
    calls = {
        name
        for name, value in vars(CredlyClient).items()
        if callable(value) and not name.startswith("_")
    }
    assert {*named(section("First call"), head="call")} == calls - {"close"}


def test_every_error_is_listed() -> None:
    tree = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, CredlyError) and value is not CredlyError
    }
    assert sorted(named(section("Errors"), head="error")) == sorted(tree)


def test_every_switch_is_listed_with_its_options() -> None:
    rows = section("The sandbox").partition("| switch |")[2].splitlines()[2:]
    told: dict[str, set[str]] = {}
    for row in rows:
        if row.startswith("|"):
            _, names, options, *_ = row.split("|")
            for name in re.findall(r"`(\w+)`", names):
                told[name] = set(re.findall(r"`(\w+)`", options))
    assert told == {name: set(switch.takes) for name, switch in SWITCHES.items()}


def test_every_control_call_is_listed() -> None:
    routes = {f"{route.method} /{route.pattern}" for route in Sandbox()._control.routes}
    assert {*named(section("The sandbox"), head="call")} == routes


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([\w-]+)\)", README))
def test_links_lead_somewhere(anchor: str) -> None:
    headings = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert anchor in {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
    }


def test_defaults_are_as_told(academy: Academy) -> None:
    with CredlyClient(
        base_url=academy.running.api_url, organization_id=academy.organization_id, token=TOKEN
    ) as credly:
        assert f"`deadline` ({credly.deadline:.0f})" in README
