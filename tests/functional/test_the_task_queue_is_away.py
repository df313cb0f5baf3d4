"""The broker takes no tasks: whoever queues them goes on as if it did, and the workers find what
they were not told.
"""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
import redis as redis_py
from celery import current_app
from django.test import Client
from pytest_django import Settings

from consumer.models import ConsumerStatus
from credentials import dispatch, tasks
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, explorer, passes
from tests.functional.test_the_service_is_watched import events_of, metrics
from tests.processes import HOST, free_port
from tests.servers import RedisServer, redis_server

AWARDS = [passes(who, n, minute=n) for who in ("ann", "bob", "cid") for n in (1, 2)]
ISSUE = "credentials.tasks.issue"


@pytest.fixture(autouse=True)
def _start_anew() -> Iterator[None]:
    dispatch.forget()
    yield
    dispatch.forget()


@contextmanager
def refused() -> Iterator[int]:
    """Nobody listens."""
    yield free_port()


@contextmanager
def silent() -> Iterator[int]:
    """It takes connections, and never answers."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen(100)
        yield server.getsockname()[1]


@contextmanager
def black_hole() -> Iterator[int]:
    """No room for another connection: a try to connect gets no answer at all."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((HOST, 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@contextmanager
def full() -> Iterator[int]:
    """A Redis that has no memory left."""
    with redis_server() as server, redis_py.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1")
        yield server.port


def queue_at(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", f"redis://{HOST}:{port}/0")


@pytest.mark.parametrize("broker", [refused, silent, black_hole, full])
def test_a_consumer_does_not_wait_for_it(
    broker: Callable[[], AbstractContextManager[int]],
    service: Service,
    credly: Running,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    service.load(explorer())
    service.publish(AWARDS)
    slowest = 0.0
    with broker() as port, caplog.at_level(logging.WARNING):
        queue_at(port, monkeypatch)
        for _ in range(3):
            began = time.monotonic()
            dispatch.issue()
            slowest = max(slowest, time.monotonic() - began)
        service.consume(batch_size=1)
    assert slowest < 1
    said = [each for each in events_of(caplog) if each["event"].startswith("no tasks queued")]
    assert len(said) == 1
    # Each of three awards tells of an issuance and of a public event.
    assert dispatch.unsent() == 3 + 2 * 3
    assert metrics(Client())["laurel_tasks_unsent_total", "c1", "laurel"] == dispatch.unsent()
    assert ConsumerStatus.objects.get().tasks_unsent == dispatch.unsent()
    # The rows are the truth.
    service.issue()
    badge = service.badge("cid", EXPLORER)
    assert badge is not None
    assert badge["credential"]["issuances"][0]["state"] == "pending"


def test_it_comes_back(
    service: Service,
    credly: Running,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.TASK_QUEUE_PAUSE_SECONDS = 0.2
    service.load(explorer())
    service.publish(AWARDS)
    port = free_port()
    queue_at(port, monkeypatch)
    service.consume()
    assert dispatch.unsent() == 2
    with (
        redis_server(port=port),
        redis_py.Redis(HOST, port) as queue,
        caplog.at_level(logging.INFO),
    ):
        deadline = time.monotonic() + 20
        while not queue.llen("celery"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
            tasks.sweep()  # as beat has it done every few seconds
        assert ISSUE.encode() in queue.lindex("celery", 0)
        assert "tasks are queued again" in [each["event"] for each in events_of(caplog)]
        queued, unsent = queue.llen("celery"), dispatch.unsent()
        service.publish([passes("ann", 1, minute=5, passing=False)])
        service.consume()
        assert queue.llen("celery") == queued + 2  # for Credly, and for the bus
        assert dispatch.unsent() == unsent


def test_it_was_restarted_between_two_tasks(
    transactional_db: None, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of the last one is dead. No task is late for that."""
    with redis_server() as server, redis_py.Redis.from_url(server.url) as queue:
        queue_at(server.port, monkeypatch)
        dispatch.issue()
        server.stop()
        server.start()
        dispatch.issue()
        assert queue.llen("celery") == 2
    assert dispatch.unsent() == 0
