"""Receivers that other apps connected to public signals hear what comes over the bus."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED as PASSING_STATUS

from events import replay
from events.models import InboxEvent
from events.pipeline import handlers
from tests.functional.conftest import Service
from tests.functional.stories import passes
from tests.functional.test_bad_messages import fails_for_bob
from tests.functional.test_events_as_signals import event, send
from tests.integration.claims import NOW

State = InboxEvent.State
Receiver = Callable[..., None]


@pytest.fixture
def listen() -> Iterator[Callable[[Receiver], None]]:
    connected: list[Receiver] = []

    def connect(receiver: Receiver) -> None:
        PASSING_STATUS.connect(receiver)
        connected.append(receiver)

    yield connect
    for each in connected:
        PASSING_STATUS.disconnect(each)


class Ear:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def __call__(self, **arguments: Any) -> None:
        assert not connection.in_atomic_block  # everything is committed
        self.heard.append(arguments)

    @property
    def names(self) -> list[str]:
        return [each["course_passing_status"].user.pii.username for each in self.heard]


@pytest.fixture
def ear(listen: Callable[[Receiver], None]) -> Ear:
    ear = Ear()
    listen(ear)
    return ear


def test_they_hear_each_event_once(service: Service, ear: Ear) -> None:
    events = [passes("ann", 1, minute=1), passes("bob", 1, minute=1)]
    service.publish([*events, events[0]])
    service.consume()
    service.publish(events)
    service.consume()

    assert ear.names == ["ann", "bob"]
    first = ear.heard[0]
    sent = event("ann", 1)
    assert first["course_passing_status"] == sent.data["course_passing_status"]
    assert first["from_event_bus"] is True
    told, known = first["metadata"], sent.metadata
    assert (told.id, told.time, told.source) == (known.id, known.time, "openedx/lms/web")
    assert service.state()["inbox"]["duplicate"] == 3  # Laurel itself did not hear them again


def test_one_that_fails_stops_nobody_and_is_found_again(
    service: Service, listen: Callable[[Receiver], None], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(course_passing_status: Any, **_event: Any) -> None:
        if course_passing_status.user.pii.username == "ann":
            raise RuntimeError(course_passing_status.user.pii.email)

    ear = Ear()
    listen(fails)
    listen(ear)
    service.publish([passes("ann", 1, minute=1), passes("bob", 1, minute=1)])
    assert service.consume() == 0

    assert ear.names == ["ann", "bob"]
    ann, bob = InboxEvent.objects.order_by("id")
    assert (ann.state, bob.state) == (State.ACCEPTED, State.ACCEPTED)
    assert "fails failed" in ann.reason
    assert ann.reason.endswith("\nRuntimeError")
    assert "in fails" in ann.reason  # the traceback
    assert "ann@example.com" not in ann.reason
    assert bob.reason == ""
    logged = [each for each in caplog.messages if "receiver failed" in each]
    assert len(logged) == 1
    assert str(ann.event_id) in logged[0]


def test_they_hear_of_an_event_that_failed_once_it_is_mended(
    service: Service, ear: Ear, settings: Any
) -> None:
    settings.EVENT_HANDLERS = [f"{fails_for_bob.__module__}.fails_for_bob"]
    handlers.cache_clear()
    service.publish([passes("bob", 1, minute=1), passes("ann", 1, minute=1)])
    service.consume()
    assert ear.names == ["ann"]

    settings.EVENT_HANDLERS = []
    handlers.cache_clear()
    failed = InboxEvent.objects.get(state=State.FAILED)
    assert replay.retry(failed.pk, now=NOW)
    assert ear.names == ["ann", "bob"]
    handlers.cache_clear()


def test_what_came_as_a_signal_they_heard_already(service: Service, ear: Ear) -> None:
    send(event("ann", 1))
    assert InboxEvent.objects.get().state == State.ACCEPTED
    assert ear.names == ["ann"]


def test_what_they_send_in_return_counts(
    service: Service, listen: Callable[[Receiver], None]
) -> None:
    def answers(metadata: Any, **_event: Any) -> None:
        if metadata.id == event("ann", 1).metadata.id:
            with transaction.atomic():
                send(event("bob", 1))

    listen(answers)
    service.publish([passes("ann", 1, minute=1)])
    service.consume()
    learners = InboxEvent.objects.order_by("id").values_list("learner__username", flat=True)
    assert list(learners) == ["ann", "bob"]
