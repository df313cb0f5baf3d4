"""What an operator looks at: inbox, issuances, webhooks, outbox; trouble first, with a remedy."""

import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import fastavro
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from openedx_events.event_bus.avro.schema import schema_from_signal

from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    CredlyWebhook,
    Issuance,
    Learner,
    OutboxEvent,
    UserCredential,
)
from events import inbox
from events.models import InboxEvent
from events.registry import subscriptions
from events.wire import Message
from tests.integration.admin.pages import PASSING, messages

NOW = datetime(2026, 3, 1, tzinfo=UTC)
INBOX = "/admin/events/inboxevent/"
BADGES = "/admin/credentials/credlybadge/"
pytestmark = pytest.mark.django_db


# The inbox


def accepted(number: int) -> InboxEvent:
    return InboxEvent(
        event_id=UUID(int=number), event_type=PASSING, state="accepted", received_at=NOW
    )


def failed(origin: str, *, fields: dict[bytes, bytes], reason: str = "it broke") -> InboxEvent:
    message = Message(origin=origin, fields=fields)
    inbox.keep_failed([inbox.Failure(message=message, reason=reason)], now=NOW)
    return InboxEvent.objects.get(origin=origin)


@pytest.fixture
def sound() -> dict[bytes, bytes]:
    """The fields of a message that a mended service can process."""
    schema = fastavro.parse_schema(schema_from_signal(subscriptions()[PASSING].signal))
    pii = {"username": "ann", "email": "ann@example.com", "name": "Ann Lee"}
    user = {"id": 11, "is_active": True, "pii": pii}
    course: dict[str, Any] = {"course_key": "course-v1:Acme+D101+2026", "display_name": ""}
    course |= {"start": None, "end": None}
    buffer = io.BytesIO()
    record = {"course_passing_status": {"is_passing": True, "user": user, "course": course}}
    fastavro.schemaless_writer(buffer, schema, record)
    return {
        b"type": PASSING.encode(),
        b"id": str(uuid4()).encode(),
        b"time": b"2026-03-01T10:00:00+00:00",
        b"event_data": buffer.getvalue(),
    }


def test_failures_come_first_on_whatever_page_they_would_be(admin_client: Client) -> None:
    failed("learning/1-0", fields={b"type": b"x"})
    InboxEvent.objects.bulk_create(accepted(number) for number in range(1, 121))
    failed("learning/2-0", fields={b"type": b"x"})

    pages = [admin_client.get(INBOX, {"p": number}).context["cl"] for number in (1, 2, 3)]

    assert [row.origin for row in pages[0].result_list[:2]] == ["learning/2-0", "learning/1-0"]
    shown = [row.pk for page in pages for row in page.result_list]
    assert len(shown) == 122
    assert len(set(shown)) == 122


def test_a_click_on_a_column_sorts_by_it_alone(admin_client: Client) -> None:
    failed("learning/1-0", fields={b"type": b"x"})
    InboxEvent.objects.bulk_create([accepted(1)])

    def states(column: str) -> list[str]:
        rows = admin_client.get(INBOX, {"o": column}).context["cl"].result_list
        return [row.state for row in rows]

    assert states("3") == ["accepted", "failed"]
    assert states("-3") == ["failed", "accepted"]


def test_a_failed_message_is_shown_readably(admin_client: Client) -> None:
    row = failed(
        "learning/1-0",
        fields={b"type": b"x", b"event_data": b"\x00ann\xff"},
        reason="Traceback\n  File\nUndecodableError: too short",
    )

    page = admin_client.get(f"{INBOX}{row.pk}/change/").content.decode()

    assert "Will be tried again by itself: UndecodableError: too short." in page
    assert "event_data: \x00ann\\xff" in page


def test_replay_processes_what_is_sound_now(
    admin_client: Client, explorer: BadgeTemplate, sound: dict[bytes, bytes]
) -> None:
    row = failed("learning/1-0", fields=sound)

    page = admin_client.post(f"{INBOX}{row.pk}/do/replay/", follow=True)

    assert f"{PASSING} was processed." in messages(page)
    assert InboxEvent.objects.get().state == "accepted"
    assert UserCredential.objects.get().learner.username == "ann"


def test_replay_says_why_it_failed_again(admin_client: Client) -> None:
    row = failed("learning/1-0", fields={b"type": b"org.example.unknown.v1"})

    page = act(admin_client, INBOX, "replay", row)

    assert "failed again: nobody configured events of type" in messages(page)
    assert InboxEvent.objects.get().attempts == 2


def test_a_button_is_no_link(admin_client: Client) -> None:
    row = failed("learning/1-0", fields={b"type": b"x"})

    assert admin_client.get(f"{INBOX}{row.pk}/do/replay/").status_code == 405
    assert InboxEvent.objects.get().attempts == 1


def test_who_may_only_look_replays_nothing(client: Client) -> None:
    row = failed("learning/1-0", fields={b"type": b"x"})
    bob = staff("bob", "view_inboxevent")
    client.force_login(bob)

    assert client.get(f"{INBOX}{row.pk}/change/").context["buttons"] == []
    assert client.post(f"{INBOX}{row.pk}/do/replay/").status_code == 403
    bob.user_permissions.add(Permission.objects.get(codename="change_inboxevent"))
    assert client.post(f"{INBOX}{row.pk}/do/replay/").status_code == 302


def test_the_inbox_is_searched_by_id_learner_and_origin(
    admin_client: Client, explorer: BadgeTemplate, sound: dict[bytes, bytes]
) -> None:
    row = failed("learning/1-0", fields=sound)
    admin_client.post(f"{INBOX}{row.pk}/do/replay/")
    event_id = str(InboxEvent.objects.get().event_id)

    for words in (event_id, "ann", "11", "learning/1-0"):
        assert admin_client.get(INBOX, {"q": words}).context["cl"].result_count == 1, words


# Issuances


def issuance(template: BadgeTemplate, username: str, **changes: Any) -> Issuance:
    learner = Learner.objects.create(
        username=username, lms_user_id=Learner.objects.count() + 1, profile_time=NOW
    )
    credential = UserCredential.objects.create(learner=learner, template=template, awarded_at=NOW)
    return Issuance.objects.create(credential=credential, provider="credly", **changes)


def test_dead_badges_come_first_and_are_tried_again(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    dead = issuance(explorer, "ann", state="dead", attempts=25, last_error="422 Refused")
    issuance(explorer, "bob", state="accepted", external_id="1")
    listed = admin_client.get(BADGES)
    assert listed.context["cl"].result_list[0].pk == dead.pk
    note = admin_client.get(f"{BADGES}{dead.pk}/change/").content.decode()
    assert "Given up after 25 attempts: 422 Refused." in note

    page = admin_client.post(f"{BADGES}{dead.pk}/do/try_again/", follow=True)

    dead.refresh_from_db()
    assert "1 will be tried again" in messages(page)
    assert (dead.state, dead.attempts) == ("error", 0)
    assert dead.next_attempt_at is not None


def test_what_is_settled_is_not_tried_again(admin_client: Client, explorer: BadgeTemplate) -> None:
    settled = issuance(explorer, "ann", state="accepted", external_id="1")

    page = act(admin_client, BADGES, "try_again", settled)

    settled.refresh_from_db()
    assert "Nothing to do" in messages(page)
    assert settled.state == "accepted"


def test_credly_badges_are_those_of_credly(admin_client: Client, explorer: BadgeTemplate) -> None:
    row = issuance(explorer, "ann")
    Issuance.objects.create(credential=row.credential, provider="pdf")

    assert admin_client.get(BADGES).context["cl"].result_count == 1
    assert admin_client.get("/admin/credentials/issuance/").context["cl"].result_count == 2


def test_a_paused_account_is_named(admin_client: Client, explorer: BadgeTemplate) -> None:
    row = issuance(explorer, "ann", state="error", last_error="401")
    CredlyOrganization.objects.update(paused_reason="401 Invalid authorization token")

    page = admin_client.get(f"{BADGES}{row.pk}/change/").content.decode()

    assert "The account of Acme Academy is paused: 401 Invalid authorization token." in page


# Webhooks and outbox


def test_a_dead_webhook_is_worked_again(admin_client: Client, db: None) -> None:
    row = CredlyWebhook.objects.create(
        event_id=uuid4(), organization_id=uuid4(), state="dead", attempts=12, received_at=NOW
    )

    page = act(admin_client, "/admin/credentials/credlywebhook/", "work_again", row)

    row.refresh_from_db()
    assert row.state == "ignored"
    assert "not configured here any more" in messages(page)


def test_waiting_events_come_first_and_say_what_they_wait_for(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    ann = issuance(explorer, "ann").credential
    zoe = UserCredential.objects.create(
        learner=Learner.objects.create(username="zoe", sole_username="zoe", profile_time=NOW),
        template=explorer,
        awarded_at=NOW,
    )
    waiting = OutboxEvent.objects.create(kind="awarded", credential=zoe, occurred_at=NOW)
    OutboxEvent.objects.create(
        kind="awarded", credential=ann, occurred_at=NOW, published_at=timezone.now()
    )
    listed = admin_client.get("/admin/credentials/outboxevent/")

    assert listed.context["cl"].result_list[0].pk == waiting.pk
    assert "Waits: no LMS user id" in listed.content.decode()
    page = admin_client.get(f"/admin/credentials/outboxevent/{waiting.pk}/change/")
    assert "No LMS user id yet" in page.content.decode()


def act(client: Client, url: str, action: str, row: Any) -> Any:
    return client.post(url, {"action": action, "_selected_action": [row.pk]}, follow=True)


def staff(name: str, *codenames: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user
