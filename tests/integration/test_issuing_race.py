"""The worker and somebody else lock the same rows, each in another order, and the database ends the
worker's transaction. Not collected on SQLite, like test_claims_race.py.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django import Settings

from badges import editing
from credentials import worker
from credentials.models import BadgeTemplate, Issuance, Learner
from credly_client.sandbox import Running
from tests.awards import credly_of, decide, enroll, offer
from tests.functional.stories import ACME
from tests.integration.test_claims_race import wait_until_blocked

State = Issuance.State
PEOPLE = 6  # so many go out as a batch
BATCH = "POST organizations/<id>/badges/batch"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _who_waited_longer_is_ended() -> Iterator[None]:
    """Also on a busy machine: PostgreSQL looks once, so long after one began to wait."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER SET deadlock_timeout = '4s'")
        try:
            yield  # connections that are made now have it
        finally:
            cursor.execute("ALTER ROLE CURRENT_USER RESET deadlock_timeout")


@pytest.fixture
def credly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with credly_of(ACME, settings=settings, monkeypatch=monkeypatch) as running:
        yield running


@pytest.fixture
def template(credly: Running) -> BadgeTemplate:
    return offer(ACME)


def work() -> None:
    try:
        worker.carry_out_due(clock=timezone.now)
    finally:
        connections.close_all()


def cross(rows: QuerySet[Any], *, meanwhile: Callable[[], object] = int, **change: object) -> None:
    """Lock the last of `rows`, and the first once the worker has that and waits for the last. The
    worker's transaction is ended: PostgreSQL ends who has waited longer, MariaDB who has written
    less.
    """
    first, *_, last = rows.order_by("pk").values_list("pk", flat=True)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '1min'")
        Group.objects.bulk_create(Group(name=f"Group {number}") for number in range(100))
        rows.filter(pk=last).update(**change)
        meanwhile()
        wait_until_blocked(1)
        rows.filter(pk=first).update(**change)


def assert_all_are_issued_once(credly: Running) -> None:
    assert set(Issuance.objects.values_list("state", "attempts")) == {(State.PENDING, 1)}
    assert credly.sandbox.control("state", {}, method="GET")["calls"] == {BATCH: 1}


def test_while_the_results_are_recorded(credly: Running, template: BadgeTemplate) -> None:
    credly.sandbox.control("switches", {"slow": {"organization": ACME, "seconds": 1.0}})
    decide(template, enroll(PEOPLE))
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(work)
        while not Issuance.objects.filter(leased_until__isnull=False).exists():
            time.sleep(0.02)
        cross(Issuance.objects.all(), name_drift=True)
        done.result()
    assert_all_are_issued_once(credly)


def test_while_the_names_are_fixed(credly: Running, template: BadgeTemplate) -> None:
    decide(template, enroll(PEOPLE))
    with ThreadPoolExecutor(1) as thread:
        done: list[Future[None]] = []
        cross(
            Learner.objects.all(),
            meanwhile=lambda: done.append(thread.submit(work)),
            is_active=True,
        )
        done[0].result()
    assert_all_are_issued_once(credly)


def test_while_an_edit_lets_go_of_the_names(template: BadgeTemplate) -> None:
    """What the worker holds back under the policy of before would wait for ever."""
    policies = BadgeTemplate.NamePolicy
    BadgeTemplate.objects.update(name_policy=policies.VERIFIED_REQUIRED)
    decide(template, enroll(1))
    with ThreadPoolExecutor(1) as thread:
        with editing.edit():
            BadgeTemplate.objects.update(name_policy=policies.PROFILE)
            editing.definitions_changed([template.pk], now=timezone.now())
            done = thread.submit(work)
            wait_until_blocked(1)
        done.result()
    assert Issuance.objects.get().state == State.PENDING
