"""Somebody locks what the worker needs, for longer than the database lets it wait."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django import Settings

from credentials import worker
from credentials.database import DatabaseGoneError
from credentials.models import BadgeTemplate, Issuance, Learner
from credly_client.sandbox import Running
from tests.awards import credly_of, decide, enroll, offer
from tests.functional.stories import ACME

State = Issuance.State
PEOPLE = 6  # so many go out as a batch
BATCH = "POST organizations/<id>/badges/batch"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _waits_are_short(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """On connections of this process that are opened from now on."""
    settings = connection.settings_dict
    usual = settings["OPTIONS"]
    settings["OPTIONS"] = {**usual, **short_waits(usual)}
    try:
        if connection.vendor == "sqlite":
            with sqlite_in_a_file(tmp_path / "laurel.sqlite3"):
                yield
        else:
            yield
    finally:
        settings["OPTIONS"] = usual


def short_waits(usual: dict[str, Any]) -> dict[str, Any]:
    if connection.vendor == "sqlite":
        return {"timeout": 0.3}
    if connection.vendor == "postgresql":
        return {"options": "-c lock_timeout=300ms"}
    # In seconds; it knows no shorter ones.
    return {"init_command": f"{usual['init_command']}, innodb_lock_wait_timeout = 1"}


@contextmanager
def sqlite_in_a_file(file: Path) -> Iterator[None]:
    """As the service has it. In memory SQLite locks single tables, and nobody waits for them."""
    in_memory = connections["default"]
    with closing(sqlite3.connect(file)) as copy:
        in_memory.connection.backup(copy)
    name = in_memory.settings_dict["NAME"]
    in_memory.settings_dict["NAME"] = str(file)
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = in_memory
        in_memory.settings_dict["NAME"] = name


@pytest.fixture
def credly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with credly_of(ACME, settings=settings, monkeypatch=monkeypatch) as running:
        yield running


@pytest.fixture
def template(credly: Running) -> BadgeTemplate:
    return offer(ACME)


@pytest.fixture
def tries(caplog: pytest.LogCaptureFixture) -> Callable[[], int]:
    """How many transactions ended for want of a lock, and were begun anew."""
    return lambda: caplog.text.count("transaction tried again")


def work(*, later: timedelta = timedelta()) -> None:
    try:
        worker.carry_out_due(clock=lambda: timezone.now() + later)
    finally:
        connections.close_all()


def wait_until(predicate: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not predicate():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def locked(rows: QuerySet[Any], **change: object) -> Iterator[None]:
    with transaction.atomic():
        assert rows.update(**change)
        yield


def slow_down(credly: Running, *, seconds: float) -> None:
    credly.sandbox.control("switches", {"slow": {"organization": ACME, "seconds": seconds}})


def is_called() -> bool:
    return Issuance.objects.filter(leased_until__isnull=False).count() == PEOPLE


def calls(credly: Running) -> Any:
    return credly.sandbox.control("state", {}, method="GET")["calls"]


def rows_are(*expected: object) -> bool:
    return set(Issuance.objects.values_list("state", "attempts")) == {expected}


def test_the_results_are_recorded_once_it_is_free(
    credly: Running, template: BadgeTemplate, tries: Callable[[], int]
) -> None:
    slow_down(credly, seconds=0.5)
    decide(template, enroll(PEOPLE))
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(work)
        wait_until(is_called)
        with locked(Issuance.objects.all(), name_drift=True):
            wait_until(lambda: tries() == 1)
        done.result()
    assert rows_are(State.PENDING, 1)
    assert calls(credly) == {BATCH: 1}


def test_what_could_not_be_recorded_is_looked_up_once_the_lease_is_over(
    credly: Running, template: BadgeTemplate
) -> None:
    slow_down(credly, seconds=0.5)
    decide(template, enroll(PEOPLE))
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(work)
        wait_until(is_called)
        with locked(Issuance.objects.all(), name_drift=True), pytest.raises(DatabaseGoneError):
            done.result()
    assert rows_are(State.CREATED, 1)
    slow_down(credly, seconds=0)
    work()
    assert calls(credly) == {BATCH: 1}

    work(later=worker.LEASE)
    assert rows_are(State.PENDING, 2)
    assert credly.sandbox.control("duplicates", {}, method="GET")["changes"] == PEOPLE
    assert not credly.sandbox.control("duplicates", {}, method="GET")["duplicates"]


def test_they_are_claimed_once_it_is_free(
    credly: Running, template: BadgeTemplate, tries: Callable[[], int]
) -> None:
    decide(template, enroll(PEOPLE))
    with ThreadPoolExecutor(1) as thread:
        with locked(Learner.objects.all(), is_active=True):
            done = thread.submit(work)
            wait_until(lambda: tries() == 1)
        done.result()
    assert rows_are(State.PENDING, 1)
    assert calls(credly) == {BATCH: 1}


def test_what_cannot_be_claimed_costs_no_attempt(credly: Running, template: BadgeTemplate) -> None:
    decide(template, enroll(PEOPLE))
    with ThreadPoolExecutor(1) as thread, locked(Learner.objects.all(), is_active=True):
        done = thread.submit(work)
        with pytest.raises(DatabaseGoneError):
            done.result()
    assert rows_are(State.CREATED, 0)
    assert calls(credly) == {}

    work()
    assert rows_are(State.PENDING, 1)
