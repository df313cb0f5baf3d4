"""docs/badges/extending.md, tried word for word: files, settings, commands and what they print."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from credentials.models import Learner
from tests.functional.stories import EXPLORER, explorer
from tests.servers import PYTHON, ROOT

DOCS: Final = ROOT / "docs/badges"
TEXT: Final = (DOCS / "extending.md").read_text(encoding="utf-8")
_FILE: Final = re.compile(
    r"as `([\w./]+)`[^\n]*:\n\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


def manage(where: Path, *arguments: str) -> str:
    exported = dict(re.findall(r"^export (\w+)=(.*)$", TEXT, re.MULTILINE))
    done = subprocess.run(
        [PYTHON, "manage.py", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            **exported,
            "PYTHONPATH": str(where),
            "DATABASE_URL": f"sqlite:///{where / 'laurel.sqlite3'}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """The folder that stands beside `manage.py` here: what the page says to save is in it."""
    files = dict(_FILE.findall(TEXT))
    assert len(files) == 3
    (tmp_path / "congratulations").mkdir()
    (tmp_path / "congratulations/__init__.py").touch()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_an_app_that_reacts_to_awards(where: Path) -> None:
    steps = TEXT.partition("That is all.")[0]
    commands = re.findall(r"^\./dev manage (.*)$", steps, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        manage(where, *command.split())
    (shown,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert shown in manage(where, "show_signals")

    badges = where / "badges.json"
    badges.write_text(json.dumps(explorer(providers=[], organization=None)))
    manage(where, "badges_import", str(badges))
    learner = "from credentials.models import Learner; Learner.objects.create(lms_user_id=11, "
    manage(where, "shell", "-c", learner + "username='ann', profile_time='2026-03-01T10:00Z')")
    told = "from congratulations.models import Congratulation as C; print(C.objects.count())"
    assert manage(where, "shell", "-c", told).splitlines()[-1] == "0"
    manage(where, "award_badge", "--learner=ann", f"--template={EXPLORER}", "--reason=why not")
    assert manage(where, "shell", "-c", told).splitlines()[-1] == "1"


@pytest.mark.django_db(transaction=True)
def test_a_signal_of_your_own(caplog: pytest.LogCaptureFixture) -> None:
    declared, sent = re.findall(
        r"^```python\n(.*?)^```$",
        TEXT.partition("## A signal of your own")[2],
        re.DOTALL | re.MULTILINE,
    )
    names: dict[str, Any] = {"__name__": "congratulations.signals"}
    exec(declared, names)  # noqa: S102 -- the text of the page
    names |= {"learner": Learner(pk=11), "at": datetime(2026, 3, 1, tzinfo=UTC)}
    exec(sent, names)  # noqa: S102
    (warning, told) = [each.msg for each in caplog.records]
    assert isinstance(warning, dict)
    assert isinstance(told, dict)
    assert warning["signal"] == told["signal"] == "congratulations.signals.congratulated"
    assert told["learner_id"] == 11


def test_the_picture_is_that_of_the_settings(tmp_path: Path) -> None:
    """And the drawing shows what its source says: the same boxes and arrows."""
    done = subprocess.run(
        [PYTHON, "manage.py", "show_signals", "--dot"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (DOCS / "signals.dot").read_text()
    drawn = re.findall(r"<title>(.*?)</title>", (DOCS / "signals.svg").read_text())
    written = re.findall(r'^  (".*?)(?: \[.*)?;$', done.stdout, re.MULTILINE)
    assert sorted(drawn[1:]) == sorted(
        each.replace('"', "").replace(" ", "").replace("->", "&#45;&gt;") for each in written
    )


def test_every_signal_is_described() -> None:
    described = set(re.findall(r"^\| `([\w.]+\.signals\.\w+)` \|", TEXT, re.MULTILINE))
    declared = set(
        re.findall(
            r'^  "([\w.]+\.signals\.\w+)" \[', (DOCS / "signals.dot").read_text(), re.MULTILINE
        )
    )
    assert described == declared
