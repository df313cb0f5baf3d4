"""The examples under deploy/: what they start runs, and ends as they say."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import attrs
import pytest
import yaml
from django.conf import settings

from tests.functional.test_docs import BADGES, text_of
from tests.servers import PYTHON, ROOT, Process, RedisServer, free_port

DEPLOY: Final = ROOT / "deploy"
UNITS: Final = {path.stem.strip("@"): path for path in (DEPLOY / "systemd").iterdir()}
COMPOSE: Final[dict[str, Any]] = yaml.safe_load(text_of(DEPLOY / "container" / "compose.yaml"))
HOME: Final = "/opt/laurel"


def settings_of(unit: Path) -> dict[str, str]:
    lines = (line for line in text_of(unit).splitlines() if re.match(r"[A-Za-z]+=", line))
    return dict(line.split("=", 1) for line in lines)


def command(name: str) -> list[str]:
    """What the unit starts, as instance c1."""
    text = settings_of(UNITS[name])["ExecStart"].replace("%H", "host").replace("%i", "c1")
    return shlex.split(text.replace(HOME, str(ROOT)))


@attrs.frozen
class Machine:
    """All four started, on a database and a Redis of their own."""

    database: Path
    port: int
    processes: dict[str, Process]

    def answers(self) -> bool:
        with suppress(OSError), urlopen(f"http://localhost:{self.port}/healthz") as page:
            return bool(page.status == 200)
        return False

    def tasks(self) -> int:
        query = "SELECT count(*) FROM django_celery_beat_periodictask"
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.database)) as connection:
            count: int = connection.execute(query).fetchone()[0]
            return count
        return 0

    def says(self, name: str, words: str) -> bool:
        return words in self.processes[name].output()


@pytest.fixture
def machine(tmp_path: Path, redis: RedisServer) -> Iterator[Machine]:
    lines = text_of(DEPLOY / "laurel.env").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    database, port = tmp_path / "laurel.sqlite3", free_port()
    env = {**example, "DATABASE_URL": f"sqlite:///{database}", "REDIS_URL": f"{redis.url[:-1]}5"}
    migrate = [PYTHON, "manage.py", "migrate", "-v", "0"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **env}, check=True)
    processes = {}
    try:
        for name in UNITS:
            words = [word.replace(":8000", f":{port}") for word in command(name)]
            processes[name] = Process(words, env=env, log=tmp_path / f"{name}.log")
        yield Machine(database, port, processes)
    finally:
        for each in processes.values():
            each.kill()


def test_all_of_them_run_and_end_with_0_when_they_are_told_to(machine: Machine) -> None:
    running = machine.processes
    running["laurel-web"].wait_for(machine.answers, what="/healthz")
    running["laurel-consumer"].wait_for(
        lambda: machine.says("laurel-consumer", '"name": "host-c1"'), what="its name"
    )
    running["laurel-worker"].wait_for(lambda: machine.says("laurel-worker", "ready."), what="ready")
    tasks = len(settings.CELERY_BEAT_SCHEDULE)
    running["laurel-beat"].wait_for(lambda: machine.tasks() >= tasks, what="its tasks")
    for each in running.values():
        each.send_signal(signal.SIGTERM)
    ends = {name: each.wait(seconds=60) for name, each in running.items()}
    assert ends == dict.fromkeys(UNITS, 0)


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_again_what_failed_and_only_that(name: str) -> None:
    found = settings_of(UNITS[name])
    assert found["Restart"] == "on-failure"
    assert found["StartLimitIntervalSec"] == "0"
    assert found["WorkingDirectory"] == HOME
    assert Path(command(name)[0]).exists()


def test_containers_run_what_the_units_run() -> None:
    services = COMPOSE["services"]
    for name in ("worker", "beat"):
        assert [
            f"{ROOT}/{services[name]['command'][0]}",
            *services[name]["command"][1:],
        ] == command(f"laurel-{name}")
    consumer = command("laurel-consumer")
    words = services["consumer"]["command"]
    assert [f"{ROOT}/{words[0]}", *words[1:]] == consumer[: consumer.index("--extra")]
    (line,) = re.findall(r"^CMD \[(.*)\]$", text_of(DEPLOY / "container/Dockerfile"), re.MULTILINE)
    words = [word.strip().strip('"') for word in line.split(",")]
    # In a container it listens on all addresses; the port is published on this machine's own only.
    assert [re.sub(r"^[\d.]+:8000$", "127.0.0.1:8000", word) for word in words[1:]] == command(
        "laurel-web"
    )[1:]
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_containers_wait_for_the_tables() -> None:
    services = COMPOSE["services"]
    for name in ("web", "consumer", "worker", "beat"):
        waits = services[name]["depends_on"]["migrate"]
        assert waits == {"condition": "service_completed_successfully"}


def test_the_document_names_every_example() -> None:
    text = text_of(BADGES / "operate.md")
    for path in (*UNITS.values(), DEPLOY / "laurel.env", *(DEPLOY / "container").glob("[!D]*")):
        assert f"deploy/{path.relative_to(DEPLOY)}" in text
