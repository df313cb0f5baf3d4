"""What a running consumer does next: its own, what others left, what is new; or nothing at all."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import pytest
import redis as redis_py
from pytest_django import Settings

from consumer.bus import BatchConsumer
from events.models import InboxEvent
from events.pipeline import handlers
from tests.functional.conftest import Service
from tests.functional.stories import passes
from tests.servers import RedisServer

_INTERRUPTIONS: Final[list[Callable[[], object]]] = []


@pytest.fixture
def bus(redis: RedisServer) -> Iterator[Any]:
    with redis_py.Redis.from_url(redis.url) as client:
        yield client


@pytest.fixture
def in_the_transaction(settings: Settings) -> Iterator[list[Callable[[], object]]]:
    """What is in this list is called, once, while the next batch is processed."""
    settings.EVENT_HANDLERS = [*settings.EVENT_HANDLERS, f"{__name__}.interrupted"]
    handlers.cache_clear()
    yield _INTERRUPTIONS
    _INTERRUPTIONS.clear()
    handlers.cache_clear()


def interrupted(_events: Any) -> None:
    while _INTERRUPTIONS:
        _INTERRUPTIONS.pop()()


def some(first: int, count: int) -> list[dict[str, Any]]:
    return [passes("ann", 1, minute=minute) for minute in range(first, first + count)]


def minutes() -> list[int]:
    """Of the accepted events, in the order in which they were processed."""
    times = InboxEvent.objects.order_by("id").values_list("event_time", flat=True)
    return [time.minute for time in times if time is not None]


def left_by(name: str, service: Service, bus: Any, *, first: int, count: int) -> None:
    service.publish(some(first, count))
    bus.xreadgroup("laurel", name, {service.topic: ">"}, count=count)


def test_own_first_then_in_turns(service: Service, bus: Any) -> None:
    bus.xgroup_create(service.topic, "laurel", id="0", mkstream=True)
    left_by("dead", service, bus, first=0, count=6)
    left_by("c1", service, bus, first=10, count=2)
    service.publish(some(20, 4))
    assert service.consume(batch_size=2, claim_idle_seconds=0) == 0
    # Its own two; then two of the dead one's and two new ones, and so on.
    assert minutes() == [10, 11, 0, 1, 20, 21, 2, 3, 22, 23, 4, 5]
    assert bus.xpending(service.topic, "laurel")["pending"] == 0


def test_its_own_also_when_a_group_goes_meanwhile(
    service: Service, bus: Any, in_the_transaction: list[Callable[[], object]]
) -> None:
    """What was at hand of the other stream is not forgotten."""
    other = f"{service.topic}-other"
    for topic in (service.topic, other):
        bus.xgroup_create(topic, "laurel", id="0", mkstream=True)
    left_by("c1", service, bus, first=0, count=6)
    for _ in range(4):
        bus.xadd(other, {"type": "of nobody"})
    bus.xreadgroup("laurel", "c1", {other: ">"})
    in_the_transaction.append(partial(bus.xgroup_destroy, other, "laurel"))
    assert service.consume(batch_size=2, topics=[other]) == 0
    assert minutes() == [0, 1, 2, 3, 4, 5]
    for topic in (service.topic, other):
        assert bus.xpending(topic, "laurel")["pending"] == 0


def test_what_others_are_at_is_left_to_them(service: Service, bus: Any) -> None:
    bus.xgroup_create(service.topic, "laurel", id="0", mkstream=True)
    left_by("busy", service, bus, first=0, count=3)
    service.publish(some(20, 1))
    assert service.consume(claim_idle_seconds=60) == 0
    assert minutes() == [20]
    assert bus.xpending(service.topic, "laurel")["pending"] == 3


def test_switched_off_and_on_while_it_runs(
    service: Service, bus: Any, settings: Settings, redis: RedisServer
) -> None:
    """It takes nothing while it is off, and goes on by itself."""
    consumer = BatchConsumer(service.topic, "laurel", consumer_name="c1")
    unread: list[int] = []

    def switch_off() -> None:
        settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = False

    def publish() -> None:
        service.publish(some(0, 2))

    def switch_on() -> None:
        unread.append(bus.xinfo_groups(service.topic)[0]["lag"])
        settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = True

    steps = [(1.5, switch_off), (3.5, publish), (6.5, switch_on), (10.0, consumer.stop)]
    timers = [threading.Timer(seconds, step) for seconds, step in steps]
    for timer in timers:
        timer.start()
    assert consumer.run() == 0
    for timer in timers:
        timer.join()
    assert unread == [2]
    assert minutes() == [0, 1]


def test_switched_off_then_stopped(
    service: Service,
    bus: Any,
    settings: Settings,
    in_the_transaction: list[Callable[[], object]],
) -> None:
    """What it has asked for is on its way when it is switched off, and stays with it."""
    consumer = BatchConsumer(service.topic, "laurel", consumer_name="c1", batch_size=2)

    def switch_off_and_stop() -> None:
        settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = False
        consumer.stop()

    service.publish(some(0, 5))
    in_the_transaction.append(switch_off_and_stop)
    assert consumer.run() == 0
    assert minutes() == [0, 1]
    assert bus.xpending(service.topic, "laurel")["pending"] == 2

    settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = True
    assert service.consume() == 0
    assert minutes() == [0, 1, 2, 3, 4]


def test_switched_off_with_nothing_to_wait_for_it_leaves(
    service: Service, bus: Any, settings: Settings
) -> None:
    settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = False
    service.publish(some(0, 2))
    assert service.consume() == 0
    assert minutes() == []


def test_the_topics_of_the_setting_are_read_unless_others_are_named(
    service: Service, settings: Settings
) -> None:
    settings.EVENT_BUS_TOPICS = ["exams", service.topic]
    consumer = BatchConsumer(service.topic, "laurel")
    assert consumer.topics == [service.topic, "exams"]
    consumer = BatchConsumer(service.topic, "laurel", topics=["other"])
    assert consumer.topics == [service.topic, "other"]
    assert BatchConsumer(service.topic, "laurel", topics=[]).topics == [service.topic]
