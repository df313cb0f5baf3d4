"""What happens to messages on the bus before they reach us: trimmed, skipped, read again."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis as redis_py

from consumer.models import Incident
from tests.functional.conftest import Service
from tests.functional.stories import passes
from tests.servers import RedisServer

Kind = Incident.Kind


@pytest.fixture
def bus(redis: RedisServer) -> Iterator[Any]:
    with redis_py.Redis.from_url(redis.url) as client:
        yield client


def some(first: int, count: int) -> list[dict[str, Any]]:
    return [passes("ann", 1, minute=minute) for minute in range(first, first + count)]


def incidents() -> list[tuple[str, int]]:
    return list(Incident.objects.order_by("id").values_list("kind", "count"))


def accepted(service: Service) -> int:
    count: int = service.state()["inbox"]["accepted"]
    return count


def ids(bus: Any, service: Service) -> list[str]:
    return [entry_id.decode() for entry_id, _ in bus.xrange(service.topic)]


# Before anybody read them


def test_trimmed_before_they_were_read(service: Service, bus: Any) -> None:
    service.publish(some(0, 3))
    assert service.consume() == 0
    known = ids(bus, service)
    service.publish(some(10, 20))
    bus.xtrim(service.topic, maxlen=5, approximate=False)
    left = ids(bus, service)
    assert service.consume() == 0
    assert incidents() == [(Kind.TRIMMED, 15)]
    (row,) = Incident.objects.all()
    assert (row.after_id, row.before_id) == (known[-1], left[0])
    assert (row.stream, row.group, row.noticed_by) == (service.topic, "laurel", "c1")
    assert accepted(service) == 8
    assert service.consume() == 0
    assert len(incidents()) == 1  # once


def test_all_of_them_trimmed(service: Service, bus: Any) -> None:
    service.publish(some(0, 3))
    service.consume()
    service.publish(some(10, 4))
    bus.xtrim(service.topic, maxlen=0, approximate=False)
    service.consume()
    service.consume()
    assert incidents() == [(Kind.TRIMMED, 4)]


def test_two_gaps_are_two_incidents(service: Service, bus: Any) -> None:
    service.publish(some(0, 1))
    service.consume()
    for first, count in ((1, 6), (20, 9)):
        service.publish(some(first, count))
        bus.xtrim(service.topic, maxlen=2, approximate=False)
        service.consume()
    assert incidents() == [(Kind.TRIMMED, 4), (Kind.TRIMMED, 7)]


def test_who_keeps_up_loses_nothing_to_trimming(service: Service, bus: Any) -> None:
    for first in range(0, 50, 10):
        service.publish(some(first, 10))
        assert service.consume(batch_size=3) == 0
        bus.xtrim(service.topic, maxlen=first % 4, approximate=False)
        service.consume()
    assert accepted(service) == 50
    assert incidents() == []


def test_what_was_trimmed_before_the_group_existed_is_not_its_loss(
    service: Service, bus: Any
) -> None:
    service.publish(some(0, 10))
    bus.xtrim(service.topic, maxlen=4, approximate=False)
    service.consume()
    assert accepted(service) == 4
    assert incidents() == []


def test_a_group_of_another_consumer_is_taken_over(service: Service, bus: Any) -> None:
    service.publish(some(0, 10))
    bus.xgroup_create(service.topic, "laurel", id="0")
    theirs = bus.xreadgroup("laurel", "other", {service.topic: ">"}, count=4)
    entries = theirs[0][1] if isinstance(theirs, list) else theirs[service.topic.encode()][0]
    bus.xack(service.topic, "laurel", *[entry_id for entry_id, _ in entries])
    service.consume()
    service.consume()
    assert accepted(service) == 6
    assert incidents() == []


# While somebody had them at hand


def deliver(bus: Any, service: Service, *, to: str, count: int) -> None:
    """`to` takes them and dies."""
    bus.xgroup_create(service.topic, "laurel", id="0", mkstream=True)
    service.publish(some(0, count))
    bus.xreadgroup("laurel", to, {service.topic: ">"}, count=count)


@pytest.mark.parametrize("who", ["c1", "dead"])
def test_trimmed_while_they_were_processed(
    service: Service, bus: Any, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Own messages of a former life, and those of another that died."""
    deliver(bus, service, to=who, count=5)
    taken = ids(bus, service)
    bus.xtrim(service.topic, maxlen=2, approximate=False)
    service.consume(claim_idle_seconds=0)
    assert incidents() == [(Kind.TRIMMED_PENDING, 3)]
    assert Incident.objects.get().ids == taken[:3]
    assert accepted(service) == 2
    assert bus.xpending(service.topic, "laurel")["pending"] == 0
    service.consume()
    assert len(incidents()) == 1


def test_deleted_while_they_were_processed_before_redis_7(
    service: Service, bus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hands over entries without a body too, and does not say which they are."""

    def xautoclaim(client: Any, name: str, *args: Any, **options: Any) -> Any:
        cursor, claimed, *_ = former(client, name, *args, **options)
        bus.xdel(name, taken[1])
        return cursor, [(None, None) if each[0] == taken[1] else each for each in claimed]

    former = redis_py.Redis.xautoclaim
    monkeypatch.setattr(redis_py.Redis, "xautoclaim", xautoclaim)
    deliver(bus, service, to="dead", count=3)
    taken = [each.encode() for each in ids(bus, service)]
    assert service.consume(claim_idle_seconds=0) == 0
    assert incidents() == [(Kind.TRIMMED_PENDING, 1)]
    assert accepted(service) == 2
    assert bus.xpending(service.topic, "laurel")["pending"] == 0


# Somebody's hand in the group


def test_moved_forward(service: Service, bus: Any) -> None:
    service.publish(some(0, 3))
    service.consume()
    service.publish(some(10, 7))
    bus.xgroup_setid(service.topic, "laurel", "$")
    service.consume()
    assert incidents() == [(Kind.SKIPPED, 7)]
    assert bus.xinfo_groups(service.topic)[0]["lag"] == 0  # we did not move it back
    service.publish(some(20, 2))
    service.consume()
    assert accepted(service) == 5
    assert len(incidents()) == 1


def test_moved_back(service: Service, bus: Any) -> None:
    service.publish(some(0, 6))
    service.consume()
    bus.xgroup_setid(service.topic, "laurel", "0")
    service.consume()
    service.consume()
    assert incidents() == [(Kind.REPEATED, 6)]
    assert accepted(service) == 6
    assert service.state()["inbox"]["duplicate"] == 6


def test_a_consumer_was_deleted_with_what_it_had_at_hand(service: Service, bus: Any) -> None:
    service.publish(some(0, 2))
    service.consume()
    service.publish(some(10, 3))
    bus.xreadgroup("laurel", "c2", {service.topic: ">"}, count=3)
    bus.xgroup_delconsumer(service.topic, "laurel", "c2")
    service.consume()
    assert incidents() == [(Kind.SKIPPED, 3)]


def test_the_group_was_deleted(service: Service, bus: Any) -> None:
    service.publish(some(0, 4))
    service.consume()
    read = ids(bus, service)
    bus.xgroup_destroy(service.topic, "laurel")
    service.publish(some(10, 2))
    service.consume()
    service.consume()
    assert incidents() == [(Kind.RECREATED, 0)]
    assert Incident.objects.get().after_id == read[-1]
    assert accepted(service) == 6


def test_the_stream_was_deleted(service: Service, bus: Any) -> None:
    service.publish(some(0, 4))
    service.consume()
    bus.delete(service.topic)
    service.publish(some(10, 2))
    service.consume()
    service.consume()
    assert incidents() == [(Kind.RECREATED, 0)]
    assert accepted(service) == 6


def test_redis_was_restored_from_an_older_state(service: Service, bus: Any) -> None:
    keys = (service.topic, f"laurel-books:{service.topic}:laurel")
    service.publish(some(0, 4))
    service.consume()
    older = [bus.dump(key) for key in keys]
    service.publish(some(10, 3))
    service.consume()
    for key, dump in zip(keys, older, strict=True):
        bus.restore(key, 0, dump, replace=True)
    service.consume()
    service.publish(some(20, 2))
    service.consume()
    assert incidents() == [(Kind.RESET, 0)]
    assert accepted(service) == 9


# A key of another type


def test_one_topic_is_no_stream(service: Service, bus: Any) -> None:
    wrong = f"{service.topic}-wrong"
    bus.set(wrong, "not a stream")
    service.publish(some(0, 3))
    assert service.consume(topics=[wrong]) == 1  # not all could be read
    assert accepted(service) == 3
    bus.delete(wrong)
    assert service.consume(topics=[wrong]) == 0
