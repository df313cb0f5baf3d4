"""badges_state after real events."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges.models import BadgeRequirement
from badges.state import state
from credentials.models import BadgeTemplate, Issuance, Learner, UserCredential
from events.jsonl import parse_line
from events.pipeline import process_batch
from events.registry import subscriptions
from events.wire import make_event
from tests.functional.stories import EXPLORER, explorer, passes

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _explorer(tmp_path: Path) -> None:
    file = tmp_path / "explorer.json"
    file.write_text(json.dumps(explorer()))
    call_command("badges_import", str(file), stdout=io.StringIO())


def receive(*events: dict[str, Any]) -> None:
    for each in events:
        event = parse_line(json.dumps(each), 1)
        subscription = subscriptions()[event.signal.event_type]
        received = make_event(
            subscription,
            payload=event.data[subscription.argument],
            event_id=event.metadata.id,
            time=event.metadata.time,
            source=event.metadata.source,
            sourcehost=event.metadata.sourcehost,
            origin="test",
        )
        process_batch([received], now=NOW)


def printed(*options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("badges_state", *options, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def badge(username: str) -> dict[str, Any]:
    (learner,) = printed("--learner", username)["learners"]
    (found,) = learner["templates"]
    assert isinstance(found, dict)
    return found


def test_nobody_yet() -> None:
    assert printed() == {
        "learners": [],
        "inbox": {"accepted": 0, "ignored": 0, "duplicate": 0, "failed": 0, "dead": 0},
    }


def test_a_badge_that_was_earned() -> None:
    receive(passes("ann", 1, minute=0), passes("ann", 2, minute=1), passes("ann", 2, minute=1))
    credential = UserCredential.objects.get()

    assert printed() == {
        "learners": [
            {
                "lms_user_id": 11,
                "username": "ann",
                "templates": [
                    {
                        "template": EXPLORER,
                        "complete": True,
                        "groups_met": 2,
                        "groups_required": 2,
                        "requirements": [
                            {"id": "one", "fulfilled": True, "count": 1},
                            {"id": "two", "fulfilled": True, "count": 1},
                        ],
                        "credential": {
                            "uuid": str(credential.uuid),
                            "status": "awarded",
                            "blocked_by_revocation": False,
                            "issuances": [
                                {
                                    "provider": "credly",
                                    "wanted": "issued",
                                    "state": "created",
                                    "external_id": None,
                                }
                            ],
                        },
                    }
                ],
            }
        ],
        "inbox": {"accepted": 2, "ignored": 0, "duplicate": 1, "failed": 0, "dead": 0},
    }


def test_a_part_of_a_badge() -> None:
    receive(passes("bob", 2, minute=0))

    found = badge("bob")

    assert (found["complete"], found["groups_met"], found["credential"]) == (False, 1, None)
    assert found["requirements"][0] == {"id": "one", "fulfilled": False, "count": 0}


def test_a_reset_alone_is_listed_and_a_stranger_is_not() -> None:
    receive(passes("bob", 1, minute=0, passing=False), passes("cid", 9, minute=0))

    assert [each["username"] for each in printed()["learners"]] == ["bob"]
    assert badge("bob")["groups_met"] == 0
    assert printed("--learner", "cid")["learners"] == []


def test_a_revoked_badge_blocks_the_next() -> None:
    receive(
        passes("ann", 1, minute=0),
        passes("ann", 2, minute=1),
        passes("ann", 1, minute=2, passing=False),
    )
    lost = badge("ann")
    assert (lost["complete"], lost["credential"]["status"]) == (False, "revoked")
    assert lost["credential"]["blocked_by_revocation"] is False

    receive(passes("ann", 1, minute=3))

    again = badge("ann")
    assert (again["complete"], again["credential"]["status"]) == (True, "revoked")
    assert again["credential"]["blocked_by_revocation"] is True


def test_the_live_credential_is_shown_else_the_newest() -> None:
    BadgeTemplate.objects.update(reissue="allowed")
    receive(
        passes("ann", 1, minute=0),
        passes("ann", 2, minute=1),
        passes("ann", 1, minute=2, passing=False),
        passes("ann", 1, minute=3),
    )
    older, newer = UserCredential.objects.order_by("id")

    assert badge("ann")["credential"]["uuid"] == str(newer.uuid)
    newer.delete()
    assert badge("ann")["credential"]["uuid"] == str(older.uuid)
    # Not blocked: this template allows a new credential.
    assert badge("ann")["credential"]["blocked_by_revocation"] is False


def test_an_inactive_template_is_listed_too() -> None:
    receive(passes("ann", 1, minute=0), passes("ann", 2, minute=1))
    BadgeTemplate.objects.update(is_active=False)

    assert badge("ann")["groups_met"] == 2


def test_what_a_removed_requirement_leaves_is_nothing() -> None:
    receive(passes("bob", 2, minute=0))
    BadgeRequirement.objects.get(key="two").delete()

    assert printed()["learners"] == []


def test_learners_stand_by_lms_user_id() -> None:
    receive(passes("cid", 1, minute=0), passes("ann", 1, minute=1), passes("bob", 1, minute=2))
    dan = Learner.objects.create(username="dan", sole_username="dan", profile_time=NOW)
    template = BadgeTemplate.objects.get()
    credential = UserCredential.objects.create(learner=dan, template=template, awarded_at=NOW)
    Issuance.objects.create(credential=credential, provider="credly", external_id="e-1")

    learners = printed()["learners"]

    assert [each["lms_user_id"] for each in learners] == [11, 12, 13, None]
    assert learners[3]["templates"][0]["credential"]["issuances"][0]["external_id"] == "e-1"


def test_an_unknown_learner_is_an_error() -> None:
    with pytest.raises(CommandError, match="'zoe'"):
        printed("--learner", "zoe")


def test_the_number_of_queries_does_not_grow_with_learners() -> None:
    receive(passes("ann", 1, minute=0), passes("ann", 2, minute=1))
    state()
    with CaptureQueriesContext(connection) as few:
        state()
    receive(*(passes(who, number, minute=5) for who in ("bob", "cid") for number in (1, 2)))

    with CaptureQueriesContext(connection) as many:
        state()

    assert len(many) == len(few)
