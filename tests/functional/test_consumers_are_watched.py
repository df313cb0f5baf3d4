"""Consumers as their supervisor sees them: names, readiness, the kill switch, a bus that changes
under their hands.
"""

import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.functional.consumers import TOPIC, Fleet
from tests.functional.stories import passes
from tests.servers import redis_server


@pytest.fixture
def fleet(tmp_path: Path, migrated: Path) -> Iterator[Fleet]:
    shutil.copy(migrated, tmp_path / "laurel.sqlite3")
    with redis_server(tmp_path / "redis") as redis:
        fleet = Fleet(tmp_path, redis)
        yield fleet
        fleet.stop()


def some(first: int, count: int) -> list[dict[str, Any]]:
    return [passes("ann", 1, minute=minute) for minute in range(first, first + count)]


# One living consumer of a name


def test_a_second_one_of_the_same_name_is_refused(fleet: Fleet) -> None:
    first = fleet.start("c1")
    first.wait_until_ready()
    second = fleet.start("c1")
    assert second.process.wait(seconds=30) == 1
    assert "another living consumer has this name" in second.process.output()
    assert first.is_ready()
    other = fleet.start("c2")
    other.wait_until_ready()


def test_the_name_of_one_that_left_is_free_at_once(fleet: Fleet) -> None:
    first = fleet.start("c1", lease_seconds=60)
    first.wait_until_ready()
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(seconds=10) == 0
    second = fleet.start("c1", lease_seconds=60)
    second.wait_until_ready()


def test_a_killed_one_is_replaced_under_its_name(fleet: Fleet) -> None:
    first = fleet.start("c1", lease_seconds=2)
    first.wait_until_ready()
    first.process.kill()
    fleet.publish(some(0, 3))
    second = fleet.start("c1", lease_seconds=2, until_idle=True)
    assert second.process.wait(seconds=30) == 0
    assert fleet.accepted() == 3


def test_waiting_for_the_name_is_told(fleet: Fleet) -> None:
    name = "laurel-consumer:laurel:c1"
    fleet.bus().set(name, "elsewhere/1/abc", ex=600)
    consumer = fleet.start("c1")
    consumer.wait_for_words("waiting for the name")
    status, body = consumer.get("/readyz")
    assert (status, "Waiting for the name" in body) == (503, True)
    fleet.bus().delete(name)
    consumer.wait_until_ready()


# The kill switch


def test_switched_off_it_lives_and_takes_nothing(fleet: Fleet) -> None:
    fleet.publish(some(0, 3))
    consumer = fleet.start("c1", env={"EVENT_BUS_REDIS_CONSUMERS_ENABLED": "false"})
    consumer.wait_for_words("EVENT_BUS_REDIS_CONSUMERS_ENABLED is off")
    time.sleep(1.5)  # more than one turn
    assert consumer.get("/healthz") == (200, "ok\n")
    assert consumer.get("/readyz")[0] == 503
    assert fleet.accepted() == 0
    assert fleet.bus().xpending(TOPIC, "laurel")["pending"] == 0
    consumer.process.send_signal(signal.SIGTERM)
    assert consumer.process.wait(seconds=10) == 0


# Redis goes and comes


def test_not_ready_while_redis_is_gone(fleet: Fleet) -> None:
    consumer = fleet.start("c1")
    consumer.wait_until_ready()
    fleet.redis.kill()
    consumer.process.wait_for(lambda: not consumer.is_ready(), what="noticing")
    status, body = consumer.get("/readyz")
    assert (status, "Connection to Redis lost" in body) == (503, True)
    assert consumer.get("/healthz")[0] == 200
    fleet.redis.start()
    consumer.wait_until_ready()
    fleet.publish(some(0, 3))
    consumer.process.wait_for(lambda: fleet.accepted() == 3, what="the messages")


# The bus changes under its hands


def test_the_group_is_deleted_while_it_runs(fleet: Fleet) -> None:
    consumer = fleet.start("c1")
    consumer.wait_until_ready()
    fleet.publish(some(0, 3))
    consumer.process.wait_for(lambda: fleet.accepted() == 3, what="the first")
    time.sleep(6)  # the position is written with a heartbeat
    fleet.bus().xgroup_destroy(TOPIC, "laurel")
    fleet.publish(some(10, 2))
    consumer.process.wait_for(lambda: fleet.accepted() == 5, what="the rest")
    assert "kind=recreated" in consumer.process.output()


def test_another_key_takes_the_place_of_a_topic(fleet: Fleet) -> None:
    consumer = fleet.start("c1", topics=["other"])
    consumer.wait_until_ready()
    bus = fleet.bus()
    bus.delete("other")
    bus.set("other", "not a stream")
    consumer.wait_for_words("not a stream")
    fleet.publish(some(0, 3))
    consumer.process.wait_for(lambda: fleet.accepted() == 3, what="the messages")
    metrics = samples(consumer.get("/metrics")[1], "laurel_stream_readable", by="stream")
    assert metrics == {"watched": 1.0, "other": 0.0}


def test_overtaken_by_the_trimming_while_it_runs(fleet: Fleet) -> None:
    consumer = fleet.start("c1")
    consumer.wait_until_ready()
    fleet.publish(some(0, 1))
    consumer.process.wait_for(lambda: fleet.accepted() == 1, what="the first")
    with fleet.bus() as bus:
        waiting = partial(bus.info, "clients")
        consumer.process.wait_for(lambda: waiting()["blocked_clients"] == 1, what="waiting")
    consumer.process.send_signal(signal.SIGSTOP)
    fleet.publish(some(1, 30))
    fleet.bus().xtrim(TOPIC, maxlen=4, approximate=False)
    consumer.process.send_signal(signal.SIGCONT)
    consumer.wait_for_words("kind=trimmed")
    # One was on its way to the waiting consumer before the others came.
    assert "count=25" in consumer.process.output()
    assert fleet.accepted() == 1 + 1 + 4


def test_a_stream_that_was_emptied_while_the_database_was_away(fleet: Fleet) -> None:
    """As when the whole machine starts anew, and Redis forgot: still told, and once."""
    fleet.publish(some(0, 3))
    assert fleet.start("c1", until_idle=True).process.wait(seconds=30) == 0
    fleet.bus().flushall()
    fleet.publish(some(10, 2))
    short = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "FAULTS_SQLITE_TIMEOUT": "0.1"}
    with closing(sqlite3.connect(fleet.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        consumer = fleet.start("c1", env=short, until_idle=True)
        consumer.wait_for_words("connection lost")
        other.execute("ROLLBACK")
    assert consumer.process.wait(seconds=30) == 0
    assert fleet.accepted() == 5
    assert consumer.process.output().count("kind=recreated") == 1


# What it tells in numbers


def samples(text: str, name: str, *, by: str) -> dict[str, float]:
    """Values by one label."""
    return {
        sample.labels[by]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_the_metrics_of_its_own_port(fleet: Fleet) -> None:
    consumer = fleet.start("c1")
    consumer.wait_until_ready()
    fleet.publish(some(0, 5) + some(0, 2))
    bus = fleet.bus()
    bus.xadd(TOPIC, {"type": "org.example.nobody.wants.v1", "id": "1", "event_data": "x"})
    bus.xadd(TOPIC, {"type": passes("ann", 1, minute=0)["type"], "id": "1", "event_data": "x"})
    consumer.process.wait_for(
        lambda: 'outcome="failed"' in consumer.get("/metrics")[1], what="the last message"
    )
    text = consumer.get("/metrics")[1]
    assert samples(text, "laurel_events_total", by="outcome") == {
        "accepted": 5.0,
        "duplicate": 2.0,
        "skipped": 1.0,
        "failed": 1.0,
    }
    steps = samples(text, "laurel_batch_step_seconds_sum", by="step")
    wanted = {"decode", "inbox", "learners", "badges.flow.process", "commit", "acknowledge"}
    assert wanted <= steps.keys()
    assert all(0 < steps[name] < 60 for name in wanted)
    assert samples(text, "laurel_consumer_up", by="consumer") == {"c1": 1.0}
    assert consumer.get("/elsewhere")[0] == 404
