"""Two consumers, one event, at the same moment. Needs row locks: not collected on SQLite (see
conftest.py), which has one writer at a time and cannot show it.
"""

import threading
import time

import pytest
from django.db import connection, connections, transaction

from credentials.models import Learner
from events.models import InboxEvent
from events.pipeline import process_batch
from events.wire import decode
from tests.integration.claims import NOW, ann_passes, fail

State = InboxEvent.State


@pytest.mark.django_db(transaction=True)
def test_two_consumers_take_the_same_failed_event() -> None:
    process_batch([decode(ann_passes(minute=2))], now=NOW)
    fail(ann_passes())
    accepted: list[int] = []

    def consume() -> None:
        try:
            accepted.append(process_batch([decode(ann_passes())], now=NOW).accepted)
        finally:
            connections.close_all()

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    with transaction.atomic():
        # Both look into the inbox, then wait for Ann.
        Learner.objects.select_for_update().get(username="ann")
        for each in consumers:
            each.start()
        wait_until_blocked(2)
    for each in consumers:
        each.join()
    assert sorted(accepted) == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_an_event_fails_here_while_it_is_accepted_there() -> None:
    message = ann_passes()
    fail(message)
    errors: list[Exception] = []

    def fails_again() -> None:
        try:
            fail(message)
        except Exception as error:  # noqa: BLE001 -- told to the test
            errors.append(error)
        finally:
            connections.close_all()

    here = threading.Thread(target=fails_again)
    with transaction.atomic():
        process_batch([decode(message)], now=NOW)
        here.start()
        wait_until_blocked(1)
    here.join()
    assert not errors
    assert InboxEvent.objects.get().state == State.ACCEPTED


_WAITING = {
    "postgresql": [
        "SELECT pg_stat_clear_snapshot()",
        (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ),
    ],
    "mysql": [
        (
            "SELECT count(*) FROM information_schema.innodb_trx"
            " JOIN information_schema.processlist AS process ON process.id = trx_mysql_thread_id"
            " WHERE process.db = database() AND trx_state = 'LOCK WAIT'"
        ),
    ],
}


def wait_until_blocked(number: int) -> None:
    """Until that many connections wait for a lock."""
    waiting = 0
    deadline = time.monotonic() + 30
    while waiting < number:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.15)  # MariaDB tells nothing new to who asks more often than every 0.1 s
        with connection.cursor() as cursor:
            for statement in _WAITING[connection.vendor]:
                cursor.execute(statement)
            (waiting,) = cursor.fetchone()
