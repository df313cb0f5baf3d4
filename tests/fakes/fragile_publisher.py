"""A process that publishes what waits in the outbox, and is killed where the environment says.

KILL_BEFORE_SEND=3    as it begins to send the fourth event
KILL_AFTER_SEND=3     when the fourth is on the bus
KILL_AT_MARK=before   or after: around the statement that marks events as published
SEND_SECONDS=0.005    how long each takes
"""

import os
import signal
import time
from collections.abc import Callable
from typing import Any, Final

import django
from django.conf import settings
from django.db import connection
from django.utils import timezone
from edx_event_bus_redis.internal.config import load_common_settings
from walrus import Database

from events.bus import RaisingRedisProducer

_MARK: Final = 'UPDATE "credentials_outboxevent" SET "published_at"'


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class FragileProducer(RaisingRedisProducer):
    sent = 0

    def send(self, **event: Any) -> None:
        time.sleep(float(os.environ.get("SEND_SECONDS", "0")))
        if os.environ.get("KILL_BEFORE_SEND") == str(self.sent):
            _die()
        super().send(**event)
        if os.environ.get("KILL_AFTER_SEND") == str(self.sent):
            _die()
        self.sent += 1


def create_producer() -> FragileProducer:
    return FragileProducer(Database.from_url(load_common_settings()["url"]))


def _around(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    when = os.environ.get("KILL_AT_MARK") if sql.startswith(_MARK) else None
    if when == "before":
        _die()
    result = execute(sql, *rest)
    if when == "after":
        _die()
    return result


def main() -> None:
    django.setup()
    from credentials import outbox  # its models need the set-up

    settings.EVENT_BUS_PRODUCER = "tests.fakes.fragile_publisher.create_producer"
    with connection.execute_wrapper(_around):
        outbox.publish_due(clock=timezone.now)


if __name__ == "__main__":
    main()
