"""Told to stop while there is nothing to read from."""

import threading

from pytest_django import Settings

from consumer.bus import BatchConsumer
from tests.servers import free_port


def test_while_redis_is_away(settings: Settings) -> None:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = f"redis://127.0.0.1:{free_port()}/0"
    consumer = BatchConsumer("learning-course", "laurel", consumer_name="c1")
    timer = threading.Timer(0.7, consumer.stop)
    timer.start()
    assert consumer.run() == 0
    timer.join()


def test_redis_stays_away(settings: Settings) -> None:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = f"redis://127.0.0.1:{free_port()}/0"
    consumer = BatchConsumer("learning-course", "laurel", consumer_name="c1", give_up_after=1)
    assert consumer.run() == 1
