"""Webhooks come late, twice, in any order, for others, or from nobody: the newest truth counts."""

import time
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from credentials.models import (
    BadgeTemplate,
    CredlyOrganization,
    CredlyWebhook,
    Issuance,
    UserCredential,
)
from credentials.providers.credly import webhook
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import ACME, EXPLORER, explorer, passes

ADDRESS = f"/badges/credly/webhook/{settings.CREDLY_WEBHOOK_SECRET}/"
GLOBEX = str(uuid4())


@pytest.fixture
def issued(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    return service


@pytest.fixture
def globex(issued: Service, credly: Running) -> CredlyOrganization:
    """Another organization, here and at Credly."""
    credly.sandbox.control("organizations", {"id": GLOBEX, "name": "Globex", "token": "its-key"})
    row = CredlyOrganization(uuid=GLOBEX, name="Globex")
    row.set_api_key("its-key")
    row.save()
    return row


def events(credly: Running) -> list[dict[str, Any]]:
    """Of the templates and badges, as they happened."""
    return list(credly.sandbox.control("state", {}, method="GET")["events"])


def deliver(event: dict[str, Any], **changes: Any) -> int:
    body = {key: event[key] for key in ("id", "organization_id", "event_type", "occurred_at")}
    answer = Client().post(ADDRESS, {**body, **changes}, content_type="application/json")
    return answer.status_code


def happens(credly: Running, what: str) -> dict[str, Any]:
    """Something is done to the badge at Credly, later than all before; returns its event."""
    time.sleep(0.002)  # Credly's moments are milliseconds
    (badge,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    credly.sandbox.control(f"badges/{badge['id']}/{what}", {})
    return events(credly)[-1]


def test_an_older_state_that_comes_later_changes_nothing(issued: Service, credly: Running) -> None:
    accepted, revoked = happens(credly, "accept"), happens(credly, "revoke")
    assert deliver(revoked) == 200
    issued.issue()
    assert deliver(accepted) == 200
    issued.issue()
    assert Issuance.objects.get().state == "revoked"
    assert CredlyWebhook.objects.get(event_id=accepted["id"]).state == "ignored"


def test_in_reverse_order_the_newest_state_is_left(issued: Service, credly: Running) -> None:
    told = [events(credly)[-1], happens(credly, "accept"), happens(credly, "private")]
    for event in reversed(told):
        deliver(event)
        issued.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.public) == ("accepted", False)


def test_what_is_no_more_does_not_come_back_at_the_same_moment(
    issued: Service, credly: Running
) -> None:
    accepted, revoked = happens(credly, "accept"), happens(credly, "revoke")
    deliver(revoked)
    issued.issue()
    Issuance.objects.update(provider_state_at=accepted["occurred_at"])
    deliver(accepted)
    issued.issue()
    assert Issuance.objects.get().state == "revoked"


def test_privacy_is_stored_and_changes_nothing_else(issued: Service, credly: Running) -> None:
    deliver(happens(credly, "private"))
    issued.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.public) == ("pending", False)
    assert "private" in CredlyWebhook.objects.get().outcome
    deliver(happens(credly, "public"))
    issued.issue()
    issuance.refresh_from_db()
    assert issuance.public is True


def test_a_revocation_that_was_given_up_is_tried_again(issued: Service, credly: Running) -> None:
    """Credly says that the badge is held still. Nothing else would remind of it: it is dead no
    more.
    """
    issued.publish([passes("ann", 1, minute=5, passing=False)])
    issued.consume()
    Issuance.objects.update(state="dead", attempts=25, next_attempt_at=None)
    assert deliver(happens(credly, "accept")) == 200
    issued.issue()  # the webhook
    issued.issue()
    issuance = Issuance.objects.get()
    assert (issuance.state, issuance.attempts) == ("revoked", 1)


def test_deleted_at_credly(issued: Service, credly: Running) -> None:
    deliver(happens(credly, "delete"))
    issued.issue()
    credential = UserCredential.objects.get()
    assert Issuance.objects.get().state == "gone"
    assert (credential.status, credential.revocation_reason) == ("revoked", "Deleted at Credly.")


def test_a_badge_of_nobody_is_stored_and_not_invented(issued: Service, credly: Running) -> None:
    Issuance.objects.update(external_id=str(uuid4()))  # what is at Credly now is a stranger
    deliver(happens(credly, "accept"))
    issued.issue()
    row = CredlyWebhook.objects.get()
    CredlyWebhook.objects.update(attempts=3, next_attempt_at=row.received_at)
    issued.issue()
    row.refresh_from_db()
    assert (row.state, Issuance.objects.count()) == ("ignored", 1)
    assert "No credential here has the badge" in row.outcome


def test_an_older_template_that_comes_later_changes_nothing(
    issued: Service, credly: Running
) -> None:
    credly.sandbox.control("templates", {"id": EXPLORER, "name": "Second name"})
    second = events(credly)[-1]
    time.sleep(0.005)  # Credly's times have milliseconds
    credly.sandbox.control("templates", {"id": EXPLORER, "name": "Third name"})
    third = events(credly)[-1]
    for event in (third, second):
        deliver(event)
        issued.issue()
    assert BadgeTemplate.objects.get().name == "Third name"


def test_a_deleted_template_does_not_come_back_by_an_older_event(
    issued: Service, credly: Running
) -> None:
    credly.sandbox.control("templates", {"id": EXPLORER, "name": "Second name"})
    changed = events(credly)[-1]
    time.sleep(0.005)  # Credly's times have milliseconds
    credly.sandbox.control(f"templates/{EXPLORER}/delete", {})
    deleted = events(credly)[-1]
    for event in (deleted, changed):
        deliver(event)
        issued.issue()
    template = BadgeTemplate.objects.get()  # with its credential and requirements
    assert (template.provider_state, template.is_active) == ("archived", False)
    assert "deleted at Credly" in template.note
    assert UserCredential.objects.get().status == "awarded"


def test_an_event_of_another_organization_is_not_believed(
    issued: Service, credly: Running, globex: CredlyOrganization
) -> None:
    """Somebody names Globex for an event of Acme: with the key of Globex it is not found."""
    assert deliver(happens(credly, "revoke"), organization_id=GLOBEX) == 200
    issued.issue()
    assert UserCredential.objects.get().status == "awarded"
    row = CredlyWebhook.objects.get()
    assert (row.state, row.outcome) == ("failed", "Credly does not know this event (yet).")


def test_another_organization_cannot_take_a_template(
    issued: Service, credly: Running, globex: CredlyOrganization
) -> None:
    """The template is Acme's here; Globex has one of the same id at Credly, and renames it."""
    theirs = str(uuid4())
    credly.sandbox.control("templates", {"id": theirs, "organization_id": GLOBEX, "name": "Stolen"})
    BadgeTemplate.objects.filter(uuid=EXPLORER).update(uuid=theirs)
    deliver(events(credly)[-1])
    issued.issue()
    template = BadgeTemplate.objects.get(uuid=theirs)
    assert (template.name, template.organization.name) == ("Data Explorer", "Acme")  # type: ignore[union-attr]


def test_delivered_many_times_and_worked_again(issued: Service, credly: Running) -> None:
    revoked = happens(credly, "revoke")
    for _ in range(3):
        assert deliver(revoked) == 200
        issued.issue()
    row = CredlyWebhook.objects.get()
    CredlyWebhook.objects.update(next_attempt_at=row.received_at)
    issued.issue()
    credential = UserCredential.objects.get()
    assert list(credential.outbox.values_list("kind", flat=True)) == ["awarded", "revoked"]


def test_early_webhook_is_tried_again(issued: Service, credly: Running) -> None:
    """Credly calls before its own store has the event: 404 for a moment."""
    unknown = {
        "id": str(uuid4()),
        "organization_id": ACME,
        "event_type": "badge.created",
        "occurred_at": "2026-03-01T10:00:00Z",
    }
    assert deliver(unknown) == 200
    row = CredlyWebhook.objects.get()
    webhook.work(row.pk, clock=lambda: row.received_at)
    row.refresh_from_db()
    assert row.state == "failed"
    CredlyWebhook.objects.update(event_id=happens(credly, "accept")["id"])
    assert row.next_attempt_at is not None
    webhook.work(row.pk, clock=lambda: row.next_attempt_at)  # type: ignore[arg-type,return-value]
    assert Issuance.objects.get().state == "accepted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../badges"},
        {"id": f"../../{ACME}/badges/{uuid4()}"},
        {"id": "%2e%2e%2fbadges"},
        {"id": f"{{{uuid4()}}}"},
        {"id": uuid4().hex},
        {"id": f"urn:uuid:{uuid4()}"},
        {"id": f" {uuid4()}"},
        {"id": None},
        {"id": 7},
        {"id": [str(uuid4())]},
        {"id": ""},
        {"organization_id": "../x"},
        {"organization_id": None},
        {"organization_id": [ACME]},
    ],
)
def test_what_walks_the_api_is_refused(issued: Service, credly: Running, wrong: Any) -> None:
    good = {"id": str(uuid4()), "organization_id": ACME, "event_type": "x"}
    answer = Client().post(ADDRESS, {**good, **wrong}, content_type="application/json")
    assert answer.status_code in {400, 404}
    assert not CredlyWebhook.objects.exists()
