from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from credly_client.bodies import (
    BadgeRequest,
    IdEvidence,
    Replacement,
    UrlEvidence,
    filter_value,
)

TEMPLATE = UUID("0d4a7c1e-2b53-4f6f-9a60-6d1b7a3c9e21")
AWARDED = datetime(2014, 4, 1, 14, 41, tzinfo=UTC)


def request_for_ann(**changes: Any) -> BadgeRequest:
    fields: dict[str, Any] = {
        "template_id": TEMPLATE,
        "recipient_email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "Lee",
        "issued_at": AWARDED,
        "issuer_earner_id": "learner-11",
    }
    return BadgeRequest(**fields | changes)


def test_badge_request_body() -> None:
    # Written in Credly's own zone example: 09:41 -0500 is 14:41 UTC.
    local = datetime(2014, 4, 1, 9, 41, tzinfo=timezone(timedelta(hours=-5)))
    assert request_for_ann(issued_at=local).to_data() == {
        "recipient_email": "ann@example.com",
        "issued_to_first_name": "Ann",
        "issued_to_last_name": "Lee",
        "badge_template_id": str(TEMPLATE),
        "issued_at": "2014-04-01T14:41:00.000Z",
        "issuer_earner_id": "learner-11",
        "suppress_badge_notification_email": False,
        "duplicate_behavior": "deny",
    }


@pytest.mark.parametrize(("expires_at", "sent"), [(date(2030, 4, 1), "2030-04-01"), (False, False)])
def test_expiry_is_a_date_or_never(expires_at: object, sent: object) -> None:
    assert request_for_ann(expires_at=expires_at).to_data()["expires_at"] == sent


@pytest.mark.parametrize(
    "change",
    [
        {"issued_at": datetime(2014, 4, 1)},  # noqa: DTZ001  (a naive time is the case)
        {"issuer_earner_id": ""},
        {"issuer_earner_id": "a|b"},
        {"template_id": "../badges"},
    ],
)
def test_a_badge_request_that_can_not_be_right(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"zone|filter|UUID"):
        request_for_ann(**change)


@pytest.mark.parametrize("value", ["", "a|b", "a,b", "a::b"])
def test_filter_values_can_not_add_filters(value: str) -> None:
    with pytest.raises(ValueError, match="filter"):
        filter_value(value)


def test_a_replacement_that_can_not_be_right() -> None:
    with pytest.raises(ValueError, match="zone"):
        Replacement(template_id=TEMPLATE, issued_at=datetime(2014, 4, 1))  # noqa: DTZ001  (the case)


def test_a_replacement_sends_only_what_is_set() -> None:
    assert Replacement(template_id=TEMPLATE, issued_at=AWARDED).to_data() == {
        "badge_template_id": str(TEMPLATE),
        "issued_at": "2014-04-01T14:41:00.000Z",
    }


def test_personal_values_stay_out_of_repr() -> None:
    request = request_for_ann(
        country_name="Wonderland",
        evidence=(
            UrlEvidence(value="https://ann.example.com/"),
            IdEvidence(id="matriculation 4711"),
        ),
    )
    shown = repr(request)
    for personal in ("ann@example.com", "Lee", "Wonderland", "ann.example.com", "4711"):
        assert personal not in shown
    assert "learner-11" in shown
