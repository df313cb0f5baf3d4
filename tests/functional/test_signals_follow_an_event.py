"""What one event does, told under one correlation id, and to whoever listens."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from badges import signals as of_badges
from credentials import signals as of_credentials
from credentials import worker
from credentials.models import UserCredential
from credly_client.sandbox import Running
from service_signals import ServiceSignal, router
from tests.functional.conftest import Service
from tests.functional.stories import explorer, passes

SIGNALS: dict[str, ServiceSignal] = {
    each.path: each
    for module in (of_badges, of_credentials)
    for each in vars(module).values()
    if isinstance(each, ServiceSignal)
}
heard: list[tuple[str, str | None]] = []


def hear(name: str) -> Any:
    def handler(sender: str, **arguments: Any) -> None:
        event_id = arguments["event_id"]
        heard.append((name, event_id and str(event_id)))

    return handler


requirement_fulfilled = hear("fulfilled")
requirement_regressed = hear("lost")
progress_completed = hear("completed")
progress_regressed = hear("incomplete")
credential_awarded = hear("awarded")
credential_revoked = hear("revoked")
issuance_done = hear("done")
issuance_failed = hear("failed")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    heard.clear()
    yield
    for each in SIGNALS.values():
        each.wire(())


def said(caplog: pytest.LogCaptureFixture, correlation_id: str) -> list[str]:
    return [
        record.msg["event"]
        for record in caplog.records
        if isinstance(record.msg, dict) and record.msg.get("correlation_id") == correlation_id
    ]


def test_sg_10_the_log_follows_an_event(
    service: Service, credly: Running, caplog: pytest.LogCaptureFixture
) -> None:
    service.load(explorer())
    begun, completed = passes("ann", 1, minute=1), passes("ann", 2, minute=2)
    service.publish([begun, completed, passes("bob", 1, minute=3)])
    with caplog.at_level("DEBUG"):
        service.consume()
        service.issue()
    assert said(caplog, completed["id"]) == [
        "event accepted",
        "requirement fulfilled",
        "progress completed",
        "credential awarded",
        "issuance done",
        "issuance",
    ]
    assert said(caplog, begun["id"]) == ["event accepted", "requirement fulfilled"]
    text = caplog.text
    for secret in ("Ann", "ann@example.com", "Bob"):
        assert secret not in text


def test_sg_10_whoever_listens_hears_of_each_step_once(
    service: Service, credly: Running, settings: Settings
) -> None:
    routes = {path: [f"{__name__}.{path.rpartition('.')[2]}"] for path in SIGNALS}
    settings.SERVICE_SIGNALS = {**settings.SERVICE_SIGNALS, **routes}
    router.wire()
    service.load(explorer())
    one, two = passes("ann", 1, minute=1), passes("ann", 2, minute=2)
    lost = passes("ann", 1, minute=3, passing=False)
    service.publish([one, two, lost])
    for batch_size in (500, 1):  # the second time everything is a duplicate
        service.consume(batch_size=batch_size)
        service.publish([one, two, lost])
    assert sorted(heard) == sorted(
        [
            ("fulfilled", one["id"]),
            ("fulfilled", two["id"]),
            ("completed", two["id"]),
            ("awarded", two["id"]),
            ("lost", lost["id"]),
            ("incomplete", lost["id"]),
            ("revoked", lost["id"]),
        ]
    )
    heard.clear()
    service.issue()  # revoked before anything was sent
    assert heard == []
    service.publish([passes("bob", 1, minute=1), passes("bob", 2, minute=2)])
    service.consume()
    heard.clear()
    service.issue()
    (done,) = heard
    assert done[0] == "done"


def test_an_issuance_that_is_given_up_is_told(
    service: Service, credly: Running, settings: Settings
) -> None:
    path = of_credentials.issuance_failed.path
    settings.SERVICE_SIGNALS = {**settings.SERVICE_SIGNALS, path: [f"{__name__}.issuance_failed"]}
    router.wire()
    service.load(explorer())
    nobody = passes("ann", 2, minute=2)
    nobody["data"]["course_passing_status"]["user"]["pii"]["email"] = ""
    first = passes("ann", 1, minute=1)
    first["data"]["course_passing_status"]["user"]["pii"]["email"] = ""
    service.publish([first, nobody])
    service.consume()
    service.issue()
    event = UserCredential.objects.get().awarded_by_event
    assert heard == [("failed", str(event))]


def test_a_try_that_will_be_repeated_is_no_news(
    service: Service, credly: Running, settings: Settings
) -> None:
    settings.SERVICE_SIGNALS = {
        **settings.SERVICE_SIGNALS,
        of_credentials.issuance_done.path: [f"{__name__}.issuance_done"],
        of_credentials.issuance_failed.path: [f"{__name__}.issuance_failed"],
    }
    router.wire()
    service.load(explorer())
    completed = passes("ann", 2, minute=2)
    service.publish([passes("ann", 1, minute=1), completed])
    service.consume()
    credly.sandbox.control("switches", {"down": 1}, method="POST")
    service.issue()
    assert heard == []
    worker.carry_out_due(clock=lambda: timezone.now() + timedelta(hours=1))
    assert heard == [("done", completed["id"])]
