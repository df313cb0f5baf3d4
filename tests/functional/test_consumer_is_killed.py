"""The consumer as a process of its own: killed, stopped, cut off."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.functional.stories import EXPLORER, explorer, passes
from tests.servers import PYTHON, ROOT, Process, RedisServer, redis_server

COUNT = 400


class Place:
    """A service of its own: database file, Redis, the project's commands."""

    def __init__(self, folder: Path, *, redis_url: str) -> None:
        self.folder = folder
        self.database = folder / "laurel.sqlite3"
        self.env = {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": redis_url,
            "DJANGO_SETTINGS_MODULE": "settings",
            "LOG_LEVEL": "INFO",
        }

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [PYTHON, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def consumer(self, **extra: Any) -> Process:
        options = json.dumps({"consumer_name": "c1", "batch_size": 10, **extra})
        return Process(
            [PYTHON, "manage.py", "consume_events", "-t", "killed", "-g", "laurel",
             "--extra", options],
            env=self.env,
            log=self.folder / "consumer.log",
        )  # fmt: skip

    def publish(self, events: list[dict[str, Any]]) -> None:
        file = self.folder / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        self.manage("publish_events", str(file), "--topic", "killed")

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.manage("badges_state"))
        return state


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database file with the template, made once: each test works on a copy."""
    folder = tmp_path_factory.mktemp("database")
    place = Place(folder, redis_url="redis://127.0.0.1:1/0")
    shutil.copy(migrated, place.database)
    file = folder / "import.json"
    file.write_text(json.dumps(explorer()))
    place.manage("badges_import", str(file))
    return place.database


@pytest.fixture
def redis_of_this_test(tmp_path: Path) -> Iterator[RedisServer]:
    """One that a test may stop."""
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, database: Path, redis_of_this_test: RedisServer) -> Place:
    place = Place(tmp_path, redis_url=redis_of_this_test.url)
    # Closed properly: the write-ahead log is empty, the file is all there is.
    shutil.copy(database, place.database)
    return place


def stream() -> list[dict[str, Any]]:
    """Learners who pass both courses; every tenth event comes twice."""
    events = []
    for number in range(COUNT // 2):
        for which in (1, 2):
            event = passes("ann", which, minute=which)
            event["id"] = f"00000000-0000-0000-0000-{number * 10 + which:012}"
            user = event["data"]["course_passing_status"]["user"]
            user["id"] = 1000 + number
            user["pii"]["username"] = f"learner{number}"
            events.append(event)
    return events + events[::10]


def credentials(state: dict[str, Any]) -> list[str]:
    return [
        each["credential"]["status"]
        for learner in state["learners"]
        for each in learner["templates"]
        if each["template"] == EXPLORER and each["credential"]
    ]


def test_killed_and_restarted_it_loses_nothing_and_doubles_nothing(place: Place) -> None:
    place.publish(stream())
    for pause in (0.05, 0.1, 0.2):
        consumer = place.consumer()
        consumer.wait_for(lambda: b"rules loaded" in _log(place), what="its first batch")
        time.sleep(pause)
        consumer.kill()
        (place.folder / "consumer.log").unlink()
    assert place.consumer(until_idle=True).wait(seconds=60) == 0
    state = place.state()
    assert state["inbox"]["accepted"] == COUNT
    assert credentials(state) == ["awarded"] * (COUNT // 2)


def test_what_came_while_it_was_down_is_read_later(place: Place) -> None:
    assert place.consumer(until_idle=True).wait(seconds=60) == 0
    place.publish(stream()[:20])
    assert place.consumer(until_idle=True).wait(seconds=60) == 0
    assert place.state()["inbox"]["accepted"] == 20


def test_a_termination_signal_ends_it_with_0(place: Place) -> None:
    consumer = place.consumer()
    consumer.wait_for(lambda: b"consuming" in _log(place), what="its start")
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(seconds=10) == 0


def test_told_to_stop_it_finishes_what_it_has_read(
    place: Place, redis_of_this_test: RedisServer
) -> None:
    place.publish(stream())
    consumer = place.consumer(batch_size=5)
    consumer.wait_for(lambda: b"rules loaded" in _log(place), what="its first batch")
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(seconds=10) == 0
    with redis.Redis.from_url(redis_of_this_test.url) as bus:
        group = bus.xinfo_groups("killed")[0]
    assert group["pending"] == 0
    assert 0 < group["entries-read"] < COUNT
    assert place.state()["inbox"]["accepted"] == group["entries-read"]


def test_without_redis_it_gives_up_with_1(place: Place, redis_of_this_test: RedisServer) -> None:
    redis_of_this_test.stop()
    assert place.consumer(give_up_after=2).wait(seconds=30) == 1


def test_it_goes_on_when_redis_comes_back(place: Place, redis_of_this_test: RedisServer) -> None:
    place.publish(stream()[:20])
    consumer = place.consumer()
    consumer.wait_for(lambda: b"consuming" in _log(place), what="its start")
    redis_of_this_test.kill()
    consumer.wait_for(lambda: b"connection lost" in _log(place), what="noticing the loss")
    redis_of_this_test.start()
    place.publish(stream()[20:40])
    consumer.wait_for(lambda: place.state()["inbox"]["accepted"] == 40, what="the rest", seconds=30)
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(seconds=10) == 0


def test_options_that_do_not_fit_are_refused(place: Place) -> None:
    for extra in ("{", "[]", '{"batch_size": "many"}'):
        done = subprocess.run(
            [PYTHON, "manage.py", "consume_events", "-t", "x", "-g", "y", "--extra", extra],
            cwd=ROOT,
            env={**os.environ, **place.env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "--extra" in done.stderr


def _log(place: Place) -> bytes:
    file = place.folder / "consumer.log"
    return file.read_bytes() if file.exists() else b""
