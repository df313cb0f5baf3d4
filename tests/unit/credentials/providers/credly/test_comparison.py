"""Both sides of a badge, and what the difference between them is called."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from credentials.providers.credly.comparison import FIXES, Here, Kind, judge
from credly_client.types import IssuedBadge

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
EARLIER = datetime(2026, 2, 1, 10, tzinfo=UTC)


def here(state: str = "pending", **changes: Any) -> Here:
    known: dict[str, Any] = {
        "external_id": "1",
        "wanted": "issued",
        "state": state,
        "state_at": NOW,
        "busy": False,
        "email": "ann@example.com",
    }
    return Here(**known | changes)


def there(state: str = "pending", **changes: Any) -> IssuedBadge:
    known: dict[str, Any] = {
        "id": uuid4(),
        "template_id": uuid4(),
        "state": state,
        "recipient_email": "ann@example.com",
        "state_updated_at": NOW,
    }
    return IssuedBadge(**known | changes)


@pytest.mark.parametrize("state", ["pending", "accepted", "rejected"])
def test_they_agree(state: str) -> None:
    assert judge(here(state), there(state)) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (here(), there("revoked"), Kind.REVOKED_THERE),
        (here(), None, Kind.GONE_THERE),
        (here("dead", external_id=None), None, Kind.NEVER_ISSUED),
        (here("dead", external_id=None), there(), Kind.UNRECORDED),
        (here("revoked", wanted="revoked"), there("accepted"), Kind.LIVE_THERE),
        (here("cancelled", wanted="revoked", external_id=None), there(), Kind.LIVE_THERE),
        (here("dead", wanted="revoked"), there(), Kind.LIVE_THERE),
        (here("dead", wanted="revoked"), there("revoked"), Kind.OTHER_STATE),
        (here(), there("accepted"), Kind.OTHER_STATE),
        (here("accepted"), there("rejected"), Kind.OTHER_STATE),
        (here(), there(recipient_email="zoe@example.com"), Kind.OTHER_EMAIL),
        (None, there(), Kind.UNKNOWN_HERE),
    ],
)
def test_they_differ(ours: Here | None, theirs: IssuedBadge | None, kind: Kind) -> None:
    assert judge(ours, theirs) is kind


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (here(busy=True), there("revoked")),
        (here(busy=True), None),
        (here(), there("revoked", state_updated_at=EARLIER)),
        (here(), there("accepted", state_updated_at=EARLIER)),
        (here(), there(recipient_email="Ann@Example.com")),
        (here(email=""), there()),
        (here(), there(recipient_email=None)),
        (here("revoked", wanted="revoked"), there("revoked")),
        (here("revoked", wanted="revoked"), there("rejected")),
        (here("revoked", wanted="revoked"), there("accepted", replacement_badge_id=uuid4())),
        (here("gone", wanted="revoked"), None),
        (here("created", external_id=None), None),
        (here(), there("accepted", replacement_badge_id=uuid4())),
        (None, there("revoked")),
        (None, None),
    ],
)
def test_nothing_to_report(ours: Here | None, theirs: IssuedBadge | None) -> None:
    """A worker is at it, something later is known here, or no learner has what the other misses."""
    assert judge(ours, theirs) is None


def test_the_time_decides_only_where_it_is_known() -> None:
    assert judge(here(state_at=None), there("revoked")) is Kind.REVOKED_THERE
    assert judge(here(), there("revoked", state_updated_at=None)) is Kind.REVOKED_THERE


def test_each_kind_is_fixed_or_left_to_a_person() -> None:
    assert set(Kind) - set(FIXES) == {Kind.UNKNOWN_HERE, Kind.OTHER_EMAIL}
