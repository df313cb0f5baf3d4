"""Yardstick "stock": the loop of edx_event_bus_redis, with a receiver that does nothing."""

from typing import Any

from edx_event_bus_redis.internal.consumer import RedisEventConsumer
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from tests.benchmarks.stream import Stream


def consume(stream: Stream, *, group: str) -> None:
    """Ends after the last event: without that the loop would wait for more."""
    consumer = RedisEventConsumer(stream.topic, group, "stock", check_backlog=True)
    seen = 0

    def receive(**_event: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == stream.events:
            consumer._shut_down()

    COURSE_PASSING_STATUS_UPDATED.connect(receive)
    try:
        consumer._consume_indefinitely()
    finally:
        COURSE_PASSING_STATUS_UPDATED.disconnect(receive)
