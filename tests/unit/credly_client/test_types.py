import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from credly_client.errors import MalformedAnswer
from credly_client.types import (
    BadgeTemplate,
    Event,
    IssuedBadge,
    Organization,
    Page,
)

Sample = Callable[[str], bytes]
ORGANIZATION = UUID("5f1b0cb7-6d0a-4a7e-9d6c-3f0d5d0b8a10")
TEMPLATE = UUID("0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21")
AWARDED = datetime(2014, 4, 1, 14, 41, tzinfo=UTC)


def data(body: bytes) -> Any:
    return json.loads(body)["data"]


def test_organization(sample: Sample) -> None:
    organization = Organization.from_data(data(sample("organization")))
    assert organization.id == ORGANIZATION
    assert organization.name == "Acme Academy"
    assert organization.webhook_url == "https://laurel.example.com/badges/credly/webhook/secret/"


def test_badge_template(sample: Sample) -> None:
    template = BadgeTemplate.from_data(data(sample("badge_template")))
    assert template.id == TEMPLATE
    assert template.owner_id == ORGANIZATION
    assert template.state == "active"
    assert template.description == "Passed the two data courses."
    assert template.updated_at == datetime(2026, 2, 1, 9, 30, tzinfo=UTC)


def test_template_page_with_nulls(sample: Sample) -> None:
    page = Page.from_document(json.loads(sample("badge_templates")), parse=BadgeTemplate.from_data)
    assert [item.state for item in page.items] == ["active", "archived"]
    assert page.items[1].description == ""
    assert (page.total_pages, page.current_page, page.total_count) == (1, 1, 2)


@pytest.mark.parametrize(
    ("case", "state", "accept", "link", "expires"),
    [
        ("badge_pending", "pending", True, False, date(2030, 4, 1)),
        ("badge_accepted", "accepted", False, True, None),
        ("badge_revoked", "revoked", False, False, date(2030, 4, 1)),
    ],
)
def test_issued_badge(
    sample: Sample, *, case: str, state: str, accept: bool, link: bool, expires: date | None
) -> None:
    badge = IssuedBadge.from_data(data(sample(case)))
    assert badge.state == state
    assert badge.template_id == TEMPLATE
    assert badge.template_owner_id == ORGANIZATION
    assert badge.issuer_earner_id == "learner-11"
    assert badge.issued_at == AWARDED
    assert badge.expires_at == expires
    assert bool(badge.accept_badge_url) is accept
    assert bool(badge.badge_url) is link


def test_personal_fields_stay_out_of_repr(sample: Sample) -> None:
    shown = repr(IssuedBadge.from_data(data(sample("badge_pending"))))
    assert "ann@example.com" not in shown
    assert "Lee" not in shown
    assert "learner-11" in shown


def test_events_carry_their_resource(sample: Sample) -> None:
    changed = Event.from_data(data(sample("event_badge_state_changed")))
    assert changed.organization_id == ORGANIZATION
    assert changed.badge is not None
    assert changed.badge.state == "accepted"
    assert changed.badge_template is None
    deleted = Event.from_data(data(sample("event_badge_template_deleted")))
    assert deleted.badge_template is not None
    assert deleted.badge_template.owner_id == ORGANIZATION
    sent = Event.from_data(data(sample("event_notification_sent")))
    assert (sent.badge, sent.badge_template) == (None, None)


def test_event_with_the_organization_as_an_object(sample: Sample) -> None:
    event = data(sample("event_notification_sent"))
    event["organization"] = {"id": event.pop("organization_id")}
    assert Event.from_data(event).organization_id == ORGANIZATION


def test_an_unknown_state_is_kept(sample: Sample) -> None:
    badge = data(sample("badge_pending")) | {"state": "suspended"}
    assert IssuedBadge.from_data(badge).state == "suspended"


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"state": None},
        {"badge_template": None},
        {"badge_template": {"name": "no id"}},
        {"issued_at": "soon"},
        {"public": "yes"},
    ],
)
def test_a_badge_of_another_shape_is_malformed(sample: Sample, change: dict[str, Any]) -> None:
    with pytest.raises(MalformedAnswer):
        IssuedBadge.from_data(data(sample("badge_pending")) | change)
