import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from credly_client.client import CredlyClient
from credly_client.errors import NotFound, ValidationFailed
from tests.functional.credly_sandbox.academy import Academy
from tests.functional.credly_sandbox.receiver import Receiver

Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def founded(academy: Academy, eventually: Eventually) -> Academy:
    """An academy of whose founding nothing is left to be told."""
    eventually(lambda: not deliveries(academy, "waiting"))
    return academy


@pytest.fixture
def listening(founded: Academy, receiver: Receiver) -> Receiver:
    """The academy's webhook, the events of its founding left out."""
    founded.call_me_back(receiver.url)
    return receiver


def deliveries(academy: Academy, state: str) -> list[dict[str, Any]]:
    events = academy.state()["events"]
    return [event["delivery"] for event in events if event["delivery"]["state"] == state]


def types(receiver: Receiver) -> list[str]:
    return [body["event_type"] for body in receiver.received]


def test_every_change_of_a_badge_is_told(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    for action in ("accept", "private", "public", "revoke", "delete"):
        academy.control(f"badges/{badge.id}/{action}")
    eventually(lambda: len(listening.received) == 6)
    assert types(listening) == [
        "badge.created",
        "badge.state.changed",
        "badge.privacy.changed",
        "badge.privacy.changed",
        "badge.state.changed",
        "badge.deleted",
    ]
    assert set(listening.received[0]) == {"id", "organization_id", "event_type", "occurred_at"}


def test_the_event_can_be_fetched(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    badge = credly.issue_badge(academy.badge_for("ann"))
    academy.control(f"badges/{badge.id}/reject")
    eventually(lambda: len(listening.received) == 2)
    event = credly.get_event(listening.received[1]["id"])
    assert event.event_type == "badge.state.changed"
    assert event.organization_id == UUID(academy.organization_id)
    assert event.badge is not None
    assert (event.badge.id, event.badge.state) == (badge.id, "rejected")
    assert event.badge.template_owner_id == UUID(academy.organization_id)


def test_every_change_of_a_template_is_told(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    academy.put_template(name="Data Explorer II")
    academy.control(f"templates/{academy.template_id}/archive")
    academy.control(f"templates/{academy.template_id}/delete")
    eventually(lambda: len(listening.received) == 3)
    assert types(listening) == [
        "badge_template.changed",
        "badge_template.changed",
        "badge_template.deleted",
    ]
    deleted = credly.get_event(listening.received[2]["id"]).badge_template
    assert deleted is not None
    assert (deleted.name, deleted.state) == ("Data Explorer II", "archived")


def test_only_200_counts(academy: Academy, listening: Receiver, eventually: Eventually) -> None:
    listening.statuses = [500, 202, 301]
    academy.put_template(name="Data Explorer II")
    eventually(lambda: bool(deliveries(academy, "delivered")))
    assert len({body["id"] for body in listening.received}) == 1
    assert deliveries(academy, "delivered") == [
        {"state": "delivered", "attempts": 4, "last_status": 200}
    ]


def test_it_gives_up_in_the_end(
    academy: Academy, listening: Receiver, eventually: Eventually
) -> None:
    listening.statuses = [404] * 20
    academy.put_template(name="Data Explorer II")
    eventually(lambda: bool(deliveries(academy, "given up")))
    assert deliveries(academy, "given up") == [
        {"state": "given up", "attempts": 5, "last_status": 404}
    ]


def test_a_receiver_that_is_away_is_tried_again(
    founded: Academy, receiver: Receiver, eventually: Eventually
) -> None:
    founded.call_me_back("http://127.0.0.1:9/")
    founded.put_template(name="Data Explorer II")
    eventually(lambda: any(one["attempts"] for one in deliveries(founded, "waiting")))
    founded.call_me_back(receiver.url)
    eventually(lambda: bool(deliveries(founded, "delivered")))
    assert types(receiver) == ["badge_template.changed"]


def test_extra_keys_reach_the_webhook(
    academy: Academy, listening: Receiver, eventually: Eventually
) -> None:
    academy.switch(extra_keys=True)
    academy.put_template(name="Data Explorer II")
    eventually(lambda: len(listening.received) == 1)
    assert "sandbox_extra_key" in listening.received[0]


def test_only_what_the_organization_wants_to_hear(
    founded: Academy, credly: CredlyClient, receiver: Receiver, eventually: Eventually
) -> None:
    founded.control(
        "organizations",
        id=founded.organization_id,
        webhook_url=receiver.url,
        allowed_webhooks=["badge.state.changed"],
    )
    badge = credly.issue_badge(founded.badge_for("ann"))
    founded.control(f"badges/{badge.id}/remind")
    founded.control(f"badges/{badge.id}/accept")
    eventually(lambda: bool(receiver.received))
    assert types(receiver) == ["badge.state.changed"]
    assert len(deliveries(founded, "not allowed")) == 2
    told = [event.event_type for event in credly.list_events()]
    assert "pending_badge_notification.sent" in told
    assert len(list(credly.list_events(event_type="badge.created"))) == 1


def test_the_organization_names_its_webhook(
    founded: Academy, credly: CredlyClient, receiver: Receiver, eventually: Eventually
) -> None:
    assert credly.set_webhook(receiver.url).webhook_url == receiver.url
    credly.issue_badge(founded.badge_for("ann"))
    eventually(lambda: bool(receiver.received))
    with pytest.raises(ValidationFailed, match="webhook_url"):
        credly.set_webhook("ftp://example.com/")


def test_twice(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    academy.switch(webhooks_repeated={"times": 3})
    credly.issue_badge(academy.badge_for("ann"))
    eventually(lambda: len(listening.received) == 3)
    assert len({body["id"] for body in listening.received}) == 1


def test_in_any_order(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    academy.switch(webhooks_shuffled={"seconds": 0.5, "seed": 4})
    badge = credly.issue_badge(academy.badge_for("ann"))
    for _ in range(5):
        academy.control(f"badges/{badge.id}/private")
        academy.control(f"badges/{badge.id}/public")
    eventually(lambda: len(listening.received) == 11)
    times = [body["occurred_at"] for body in listening.received]
    assert times != sorted(times)


def test_late_and_never(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    academy.switch(webhooks_lost=1, webhooks_delayed={"seconds": 0.3})
    started = time.monotonic()
    credly.issue_badge(academy.badge_for("ann"))
    bobs = credly.issue_badge(academy.badge_for("bob"))
    eventually(lambda: bool(listening.received))
    assert time.monotonic() - started >= 0.3
    assert len(deliveries(academy, "lost")) == 1
    (told,) = listening.received
    event = credly.get_event(told["id"])
    assert event.badge is not None
    assert event.badge.id == bobs.id


def test_before_the_answer(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    academy.switch(slow={"count": 1, "seconds": 0.5})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(credly.issue_badge, academy.badge_for("ann"))
        eventually(lambda: bool(listening.received))
        assert not answer.done()


def test_faster_than_its_own_event(
    academy: Academy, credly: CredlyClient, listening: Receiver, eventually: Eventually
) -> None:
    academy.switch(events_appear_late={"seconds": 0.4})
    credly.issue_badge(academy.badge_for("ann"))
    eventually(lambda: bool(listening.received))
    (told,) = listening.received
    with pytest.raises(NotFound):
        credly.get_event(told["id"])
    time.sleep(0.4)
    assert credly.get_event(told["id"]).event_type == "badge.created"
