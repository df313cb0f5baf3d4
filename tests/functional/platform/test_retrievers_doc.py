"""docs/badges/retrievers.md, tried word for word: options, data, files, commands and output."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from certificates.options import faults
from certificates.platform.sandbox import Running, World, serve
from certificates.platform.sandbox.faults import APIS, KINDS
from certificates.retrievers.base import CONTEXTS
from certificates.retrievers.registry import retriever, retrievers
from tests.functional.platform.academy import course, world
from tests.servers import PYTHON, ROOT

TEXT: Final = (ROOT / "docs/badges/retrievers.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def section(heading: str) -> str:
    return re.split(r"^## ", TEXT.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]


TRIAL: Final = section("A platform to try it with")
OWN: Final = section("A retriever of your own")


@pytest.fixture
def academy() -> Iterator[Running]:
    (data,) = blocks("json", TRIAL)
    with serve(World.from_document(json.loads(data))) as running:
        yield running


@pytest.fixture
def environment(academy: Running, tmp_path: Path) -> dict[str, str]:
    """What the page exports, but for the port, and the folder of the page's files."""
    exported = dict(re.findall(r"^export (\w+)=(.*)$", TRIAL + OWN, re.MULTILINE))
    return {
        **os.environ,
        **exported,
        "PLATFORM_API_BASE_URL": academy.url,
        "PYTHONPATH": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'laurel.sqlite3'}",
    }


def manage(environment: dict[str, str], command: str) -> str:
    done = subprocess.run(
        [PYTHON, "manage.py", *shlex.split(command)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(text: str) -> list[str]:
    return re.findall(r"^\./dev manage (.*)$", text, re.MULTILINE)


def shipped() -> list[str]:
    """Without that of the tests."""
    return [each for each in retrievers() if each != "oracle"]


def test_every_retriever_is_described() -> None:
    table = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", TEXT.partition("\n## ")[0], re.MULTILINE)
    assert sorted(name for name, _ in table) == shipped()
    for name, contexts in table:
        assert retriever(name).contexts == set(contexts.split(", "))
        assert retriever(name).contexts <= set(CONTEXTS)


def test_the_options_fit() -> None:
    samples = re.findall(r"^```json (\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert sorted(name for name, _ in samples) == shipped()
    for name, sample in samples:
        assert faults(retriever(name).options_schema, json.loads(sample)) == {}


def test_the_trial(academy: Running, environment: dict[str, str]) -> None:
    _sandbox, asked = commands(TRIAL)
    (shown,) = blocks("text", TRIAL)
    environment.pop("DJANGO_SETTINGS_MODULE")
    assert manage(environment, asked) == shown


def test_the_faults() -> None:
    (sent,) = re.findall(r"-d '(.*)'$", TRIAL, re.MULTILINE)
    with serve(World.from_document(world(course()))) as running:
        running.sandbox.fault(**json.loads(sent))
    assert [kind for kind, _ in re.findall(r"^\| `(\w+)` \| (.*) \|$", TRIAL, re.MULTILINE)] == [
        *KINDS
    ]
    for api in APIS:
        assert f"`{api}`" in TRIAL


def test_a_retriever_of_your_own(
    academy: Running, environment: dict[str, str], tmp_path: Path
) -> None:
    module, settings = blocks("python", OWN)
    (tmp_path / "enrolled.py").write_text(module)
    (tmp_path / "our_settings.py").write_text(settings)
    check, asked = commands(OWN)
    assert "no issues" in manage(environment, check)
    (shown,) = blocks("text", OWN)
    assert manage(environment, asked) == shown


def test_the_command_tells_what_is_wrong(academy: Running, settings: Any) -> None:
    settings.PLATFORM_API_BASE_URL = academy.url
    settings.PLATFORM_API_CLIENT_ID = settings.PLATFORM_API_CLIENT_SECRET = "anything"
    for arguments, told in (
        (["completions", "course-v1:Acme+D102+2026"], "404"),
        (["completion", "course-v1:Acme+D101+2026"], "known: completions, "),
        (["completions", "course-v1:Acme+D101+2026", "--options=[]"], "no JSON object"),
        (["completions", "course-v1:Acme+D101+2026", "--options={"], "no JSON: "),
    ):
        with pytest.raises(CommandError, match=told):
            call_command("who_is_eligible", *arguments)
