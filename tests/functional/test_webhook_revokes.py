"""What happens at Credly comes back."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from credentials.models import BadgeTemplate, CredlyWebhook, UserCredential
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import ACME, EXPLORER, explorer, passes

ADDRESS = f"/badges/credly/webhook/{settings.CREDLY_WEBHOOK_SECRET}/"


@pytest.fixture
def issued(service: Service, credly: Running) -> Service:
    service.load(explorer())
    service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
    service.consume()
    service.issue()
    return service


def newest_event(credly: Running) -> dict[str, Any]:
    events = credly.sandbox.control("state", {}, method="GET")["events"]
    return dict(max(events, key=lambda each: each["occurred_at"]))


def deliver(event: dict[str, Any], **changes: Any) -> int:
    body = {key: event[key] for key in ("id", "organization_id", "event_type", "occurred_at")}
    answer = Client().post(ADDRESS, {**body, **changes}, content_type="application/json")
    return answer.status_code


def badge_id(credly: Running) -> str:
    (badge,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    return str(badge["id"])


def test_accepted_by_the_learner(issued: Service, credly: Running) -> None:
    credly.sandbox.control(f"badges/{badge_id(credly)}/accept", {}, method="POST")
    assert deliver(newest_event(credly)) == 200
    issued.issue()
    badge = issued.badge("ann", EXPLORER)
    assert badge is not None
    assert badge["credential"]["issuances"][0]["state"] == "accepted"


def test_revoked_at_credly(issued: Service, credly: Running) -> None:
    credly.sandbox.control(
        f"badges/{badge_id(credly)}/revoke", {"reason": "Mistake"}, method="POST"
    )
    event = newest_event(credly)
    before = credly.sandbox.control("state", {}, method="GET")["calls"]
    assert deliver(event) == 200
    assert deliver(event) == 200  # delivered twice: once in effect
    issued.issue()
    credential = UserCredential.objects.get()
    assert (credential.status, credential.revocation_origin) == ("revoked", "provider")
    after = credly.sandbox.control("state", {}, method="GET")["calls"]
    assert {k: v for k, v in after.items() if k.startswith("PUT")} == {
        k: v for k, v in before.items() if k.startswith("PUT")
    }  # no call goes back
    # And the platform is told, once.
    issued.consume()
    types = credential.outbox.order_by("id").values_list("kind", flat=True)
    assert list(types) == ["awarded", "revoked"]
    assert CredlyWebhook.objects.count() == 1


def test_a_template_archived_at_credly_is_deactivated(issued: Service, credly: Running) -> None:
    credly.sandbox.control(f"templates/{EXPLORER}/archive", {}, method="POST")
    assert deliver(newest_event(credly)) == 200
    issued.issue()
    template = BadgeTemplate.objects.get()
    assert not template.is_active
    assert "archived" in template.note
    issued.publish([passes("bob", 1, minute=7), passes("bob", 2, minute=8)])
    issued.consume()
    assert issued.badge("bob", EXPLORER) is None


def test_a_new_template_comes_inactive(issued: Service, credly: Running) -> None:
    new = str(uuid4())
    credly.sandbox.control("templates", {"id": new, "organization_id": ACME, "name": "New"})
    assert deliver(newest_event(credly)) == 200
    issued.issue()
    assert not BadgeTemplate.objects.get(uuid=new).is_active


def test_a_forged_event_has_no_effect(issued: Service, credly: Running) -> None:
    """The body is not believed: Credly does not know this event."""
    forged = {
        "id": str(uuid4()),
        "organization_id": ACME,
        "event_type": "badge.state.changed",
        "occurred_at": "2026-03-02T00:00:00Z",
    }
    assert deliver(forged) == 200
    issued.issue()
    assert UserCredential.objects.get().status == "awarded"
    assert CredlyWebhook.objects.get().state == "failed"


class TestBadInput:
    @pytest.fixture(autouse=True)
    def _organization(self, issued: Service) -> None:
        pass

    def test_in_the_order_of_the_checks(self) -> None:
        client = Client()
        good = {"id": str(uuid4()), "organization_id": ACME, "event_type": "x"}
        big = json.dumps({**good, "padding": "x" * 70_000})
        kind = "application/json"
        wrong = ADDRESS.replace(settings.CREDLY_WEBHOOK_SECRET, "guess")
        assert client.get(wrong).status_code == 405
        assert client.post(wrong, big, content_type=kind).status_code == 404
        assert client.post(ADDRESS, big, content_type=kind).status_code == 413
        assert client.post(ADDRESS, "{", content_type=kind).status_code == 400
        assert client.post(ADDRESS, "[]", content_type=kind).status_code == 400
        unknown = {**good, "organization_id": str(uuid4()), "id": "../../x"}
        assert client.post(ADDRESS, unknown, content_type=kind).status_code == 404
        walking = {**good, "id": f"../{uuid4()}"}
        assert client.post(ADDRESS, walking, content_type=kind).status_code == 400
        assert CredlyWebhook.objects.count() == 0
        assert client.post(ADDRESS, good, content_type=kind).status_code == 200
        assert client.post(ADDRESS, good, content_type=kind).status_code == 200
        assert CredlyWebhook.objects.count() == 1

    @pytest.mark.parametrize("event_type", ["\ud800", "\x00", ["x"], None])
    def test_odd_event_types_are_stored(self, event_type: object) -> None:
        body = {"id": str(uuid4()), "organization_id": ACME, "event_type": event_type}
        answer = Client().post(ADDRESS, json.dumps(body), content_type="application/json")
        assert answer.status_code == 200
