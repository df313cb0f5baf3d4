"""Fixtures of all tests: the servers, and a clean slate for what a process remembers."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings as hypothesis_settings

from badges import rulebook
from events import arrivals
from tests.fakes.oracle import oracle
from tests.servers import PYTHON, ROOT, RedisServer, redis_server

hypothesis_settings.register_profile("ci", max_examples=200, deadline=None)
hypothesis_settings.register_profile("long", max_examples=5_000, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# Files of half a minute and more, the longest first. A file is one worker's: begun last, they would
# leave the other idle.
_LONG: Final = (
    "functional/test_on_postgresql.py",
    "faults/test_consumers_are_killed.py",
    "faults/test_poison.py",
    "faults/test_consumers_race.py",
    "faults/test_servers_go_away.py",
    "functional/test_deleting_beside_the_consumer.py",
    "faults/test_workers_are_killed.py",
    "faults/test_certificate_workers_are_killed.py",
    "property/test_flow.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((n for n, name in enumerate(_LONG) if path.endswith(name)), len(_LONG))


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis of this test process."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as `migrate` makes it, with no connection left open: tests work on copies."""
    file = tmp_path_factory.mktemp("migrated") / "laurel.sqlite3"
    env = {"DATABASE_URL": f"sqlite:///{file}", "DJANGO_SETTINGS_MODULE": "settings"}
    migrate = [PYTHON, "manage.py", "migrate", "-v", "0"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **env}, timeout=120, check=True)
    return file


@pytest.fixture(autouse=True)
def _forget_rules() -> None:
    """Each test's database counts rule versions from zero again, and has seen no event."""
    rulebook.forget()
    arrivals.forget()


@pytest.fixture(autouse=True)
def _forget_answers() -> None:
    """Each test tells the oracle what to answer."""
    oracle.clear()
