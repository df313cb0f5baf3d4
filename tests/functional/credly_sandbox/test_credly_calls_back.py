from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from credly_client.client import CredlyClient
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
