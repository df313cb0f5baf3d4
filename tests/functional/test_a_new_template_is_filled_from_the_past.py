"""`replay_events`: learners get what they earned before the badge existed."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from badges import archive, filling
from badges.filling import RulesChangedError
from badges.models import BadgeProgress, Decision, Fulfillment
from credentials.models import DefinitionsVersion, Issuance, OutboxEvent, UserCredential
from credly_client.sandbox import Running
from events import pipeline
from events.models import InboxEvent
from tests.functional.conftest import Service
from tests.functional.stories import EXPLORER, PASSING, explorer, passes, rules

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def replay(*arguments: str) -> str:
    output = io.StringIO()
    call_command("replay_events", *arguments, stdout=output)
    return output.getvalue()


def fill(*arguments: str) -> str:
    return replay("--template", EXPLORER, "--limit-share", "1", *arguments)


def past(service: Service, *events: dict[str, Any]) -> None:
    service.publish(events)
    service.consume()


def everything() -> list[list[dict[str, Any]]]:
    models: tuple[Any, ...] = (
        BadgeProgress,
        Fulfillment,
        UserCredential,
        Issuance,
        OutboxEvent,
        Decision,
    )
    return [list(model.objects.order_by("pk").values()) for model in models]


def minute(number: int) -> datetime:
    return datetime(2026, 3, 1, 10, number, tzinfo=UTC)


def test_who_earned_it_then_gets_it_now_with_the_time_of_then(
    service: Service, credly: Running
) -> None:
    past(
        service,
        passes("ann", 2, minute=1),
        passes("ann", 1, minute=3),
        passes("ann", 1, minute=9),
        passes("bob", 1, minute=5),
    )
    service.load(explorer())

    text = fill()

    assert "would be awarded: 1 (ann)" in text
    assert "done: 1 awarded, 0 revoked, 0 blocked" in text
    credential = UserCredential.objects.get()
    assert credential.awarded_at == minute(3)
    assert str(credential.awarded_by_event) == passes("ann", 1, minute=3)["id"]
    assert credential.rules_version == 1
    bob = service.badge("bob", EXPLORER)
    assert bob is not None
    assert (bob["groups_met"], bob["credential"]) == (1, None)
    service.issue()
    (issued,) = credly.sandbox.control("state", {}, method="GET")["badges"]
    assert issued["issued_at"] == "2026-03-01T10:03:00.000Z"
    outcomes = list(Decision.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes == ["fulfilled", "fulfilled", "awarded", "already", "fulfilled"]


def test_doing_it_again_changes_nothing(service: Service, credly: Running) -> None:
    past(
        service,
        passes("ann", 1, minute=1),
        passes("ann", 2, minute=2),
        passes("bob", 1, minute=1),
        passes("cid", 1, minute=1),
        passes("cid", 2, minute=2),
        passes("cid", 1, minute=3, passing=False),
        passes("cid", 1, minute=4),
    )
    service.load(explorer())
    assert "done: 2 awarded, 1 revoked, 1 blocked" in fill()
    after_one = everything()
    text = fill()
    assert "done: 0 awarded, 0 revoked, 0 blocked" in text
    assert "0 of 3 learners would change" in text
    assert everything() == after_one


def test_the_same_as_if_the_badge_had_always_been_there(service: Service, credly: Running) -> None:
    events = [
        passes("ann", 2, minute=1),
        passes("ann", 1, minute=2),
        passes("ann", 1, minute=3, passing=False),
        passes("ann", 1, minute=4),
        passes("bob", 1, minute=1, passing=False),
        passes("bob", 1, minute=2),
        passes("bob", 2, minute=2),
    ]
    service.load(explorer())
    past(service, *events)
    live = _told(service)
    for model in (Decision, Issuance, OutboxEvent, UserCredential, Fulfillment, BadgeProgress):
        model.objects.all().delete()
    fill()
    assert _told(service) == live


def _told(service: Service) -> list[Any]:
    learners = service.state()["learners"]
    for badge in (each for learner in learners for each in learner["templates"]):
        del badge["credential"]["uuid"]
    credentials = UserCredential.objects.order_by("learner_id", "awarded_at")
    decisions = Decision.objects.order_by("learner_id", "event_time", "outcome", "requirement")
    return [
        learners,
        list(credentials.values("awarded_at", "awarded_by_event", "revoked_at", "status")),
        list(decisions.values("learner_id", "event_id", "outcome", "seen", "requirement")),
    ]


def test_what_came_after_the_badge_existed_counts_in_its_own_time(
    service: Service, credly: Running
) -> None:
    """Course 2 was passed before the badge existed, course 1 after: only then it was complete."""
    past(service, passes("ann", 2, minute=1))
    service.load(explorer())
    past(service, passes("ann", 1, minute=5))
    fill()
    assert UserCredential.objects.get().awarded_at == minute(5)


def test_a_penalty_that_is_new_takes_back_what_the_past_undid(
    service: Service, credly: Running
) -> None:
    service.load(explorer(penalties=[]))
    past(
        service,
        passes("ann", 1, minute=1),
        passes("ann", 2, minute=2),
        passes("ann", 1, minute=3, passing=False),
    )
    service.load(explorer())
    assert "would be revoked: 1 (ann)\n    1: failed-one" in fill()
    credential = UserCredential.objects.get()
    assert (credential.status, credential.revoked_at) == ("revoked", minute(3))


def test_a_dry_run_only_tells(service: Service, credly: Running) -> None:
    past(service, passes("ann", 1, minute=1), passes("ann", 2, minute=2))
    service.load(explorer())
    text = replay("--template", EXPLORER, "--dry-run")
    assert "would be awarded: 1 (ann)" in text
    assert "above the limit of 20%" in text
    assert not any(everything())


def test_it_stops_when_too_many_would_change(service: Service, credly: Running) -> None:
    past(
        service,
        passes("ann", 1, minute=1),
        passes("ann", 2, minute=2),
        passes("bob", 1, minute=2),
        passes("cid", 1, minute=2),
    )
    service.load(explorer())
    with pytest.raises(CommandError, match="33% of the learners, and the limit is 20%"):
        replay("--template", EXPLORER)
    with pytest.raises(CommandError, match="nothing was written"):
        replay("--template", EXPLORER, "--limit-share", "0.33")
    assert not any(everything())
    assert "done: 1 awarded" in replay("--template", EXPLORER, "--limit-share", "0.34")


def test_all_badges_since_a_moment(service: Service, credly: Running) -> None:
    past(
        service,
        passes("ann", 1, minute=1),
        passes("ann", 2, minute=2),
        passes("bob", 1, minute=5),
        passes("bob", 2, minute=6),
    )
    service.load(explorer())
    since = "2026-03-01T10:02:00+00:00"
    assert "done: 1 awarded" in replay("--since", since, "--limit-share", "1")
    assert UserCredential.objects.get().learner.username == "bob"
    ann = service.badge("ann", EXPLORER)
    assert ann is not None
    assert ann["groups_met"] == 1


def test_what_the_archive_cannot_answer_is_left_alone(service: Service, credly: Running) -> None:
    """A requirement met by a live event stays met, although the archive cannot see why."""
    email = {"path": "user.pii.email", "operator": "eq", "value": "ann@example.com"}
    personal = {"id": "mine", "event_type": PASSING, "rules": [*rules(1, "true"), email]}
    any_course = {"id": "any", "event_type": PASSING, "count": 2}
    past(service, passes("ann", 2, minute=1))
    service.load(explorer(requirements=[personal, any_course], penalties=[]))
    past(service, passes("ann", 1, minute=2))
    assert "not evaluable in the archive: mine: the archive does not keep user.pii.email" in fill()
    assert UserCredential.objects.get().awarded_at == minute(2)


def test_only_an_active_template(service: Service) -> None:
    service.load(explorer(is_active=False))
    with pytest.raises(CommandError, match="is not active"):
        fill()


def test_an_edit_in_between_stops_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    past(service, passes("ann", 1, minute=1))
    service.load(explorer())
    prepared = filling.prepare(None)
    DefinitionsVersion.bump()
    with pytest.raises(RulesChangedError):
        filling.fill(prepared, now=NOW)
    assert not any(everything())


def test_learners_in_pages(
    service: Service, credly: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PAGE", 1)
    past(
        service,
        *(passes(who, course, minute=course) for who in ("ann", "bob", "cid") for course in (1, 2)),
    )
    service.load(explorer())
    assert "done: 3 awarded" in fill()
    assert "0 of 3 learners would change" in fill()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "2026-03-01T10:00:00"], "has no time zone"),
        (["--since", "yesterday"], "is not ISO 8601"),
        (["--dead", "--limit-share", "20"], "is not a share"),
        ([], "is required"),
    ],
)
def test_arguments_that_make_no_sense(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        replay(*arguments)


@pytest.fixture
def broken(settings: Settings) -> Iterator[None]:
    """A service whose handlers cannot process anything."""
    settings.EVENT_MAX_ATTEMPTS = 1
    settings.EVENT_HANDLERS = [f"{__name__}.refuse"]
    pipeline.handlers.cache_clear()
    yield
    pipeline.handlers.cache_clear()


def refuse(_events: Any) -> None:
    raise RuntimeError("broken")


def test_dead_messages_are_tried_again(
    service: Service, credly: Running, broken: None, settings: Settings
) -> None:
    service.load(explorer())
    past(service, passes("ann", 1, minute=1), passes("ann", 2, minute=2))
    assert service.state()["inbox"]["dead"] == 2
    assert "0 processed, 2 failed again" in replay("--dead")

    settings.EVENT_HANDLERS = ["badges.flow.process"]
    pipeline.handlers.cache_clear()
    assert "2 messages would be tried again" in replay("--dead", "--dry-run")
    assert "2 processed, 0 failed again" in replay("--dead")

    assert UserCredential.objects.get().awarded_at == minute(2)
    assert InboxEvent.objects.filter(state="accepted").count() == 2
