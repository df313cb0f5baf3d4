"""The whole flow through the database against the slow reference: random templates that share
their learners, random streams, cut into batches at random.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from badges import accounts, rulebook
from badges.models import BadgeProgress, Decision, Fulfillment
from badges.rules.evidence import Tally
from credentials.models import UserCredential
from events.event import Event
from events.pipeline import process_batch
from tests import reference
from tests.property.effort import THRICE, THROUGH_THE_DATABASE
from tests.property.worlds import LEARNERS, START, Story, happening, store, stories, streams

pytestmark = pytest.mark.django_db
ENDINGS = ("awarded", "revoked", "blocked")
Pair = tuple[int, int]  # LMS user id, template
_told = st.lists(stories(), min_size=1, max_size=3)
_cuts = st.lists(st.integers(1, 9), max_size=9)


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def deliver(events: Sequence[Event], sizes: Sequence[int]) -> None:
    """In batches of these sizes; what is left over is one more."""
    rest = list(events)
    for size in [*sizes, len(rest)]:
        batch, rest = rest[:size], rest[size:]
        if batch:
            process_batch(batch, now=START)


def grouped(rows: Any, *fields: str) -> Mapping[Pair, list[Any]]:
    """The values of `fields` of each row, by learner and template, in the order of the rows."""
    found: dict[Pair, list[Any]] = defaultdict(list)
    for lms_user_id, template, *values in rows.order_by("id").values_list(
        "learner__lms_user_id", "template_id", *fields
    ):
        found[lms_user_id, template].append(values)
    return found


@THROUGH_THE_DATABASE
@given(_told, streams(), _cuts)
def test_rows_are_as_the_reference(told: list[Story], events: list[Event], cuts: list[int]) -> None:
    with rolled_back():
        templates = store(told)
        deliver(events, cuts)
        rows = list(BadgeProgress.objects.select_related("learner"))
        compiled = {each.id: each for each in rulebook.compile_some(templates)}
        progress = {
            (each.row.learner.lms_user_id, each.row.template_id): each
            for each in accounts.read(rows, compiled)
        }
        ends = Decision.objects.filter(outcome__in=ENDINGS)
        endings = grouped(ends, "outcome", "event_id")
        matches = grouped(
            Decision.objects.exclude(pk__in=ends), "requirement", "penalty", "event_id"
        )
        credentials = grouped(UserCredential.objects, "awarded_by_event", "revoked_by_event")
        for learner in LEARNERS:
            mine = [event for event in events if event.payload.user.id == learner]
            for template, story in zip(templates, told, strict=True):
                pair = (learner, template)
                seen = [happening(story, event) for event in mine] if story.active else []
                _progress_fits(progress.get(pair), story, seen)
                changes = reference.transitions(story.badge, seen)
                outcomes, held = reference.awards(changes, reissue=story.reissue)
                assert endings.get(pair, []) == [list(each) for each in outcomes]
                assert credentials.get(pair, []) == held
                assert sorted(matches.get(pair, [])) == sorted(_matches(seen))


def _progress_fits(account: Any, story: Story, seen: Sequence[reference.Happening]) -> None:
    expected = reference.judge(story.badge, seen)
    if account is None:
        assert not any(each.requirements or each.penalties for each in seen)
        return
    tallies: Mapping[str, Tally] = account.standing.tallies
    assert {key: bool(each.fulfilled) for key, each in tallies.items()} == expected.fulfilled
    assert {key: each.counted for key, each in tallies.items()} == expected.counts
    assert account.standing.groups_met == expected.groups_met
    assert account.row.complete == account.standing.complete == expected.complete
    waited_for = {key for rule in story.badge.rules for key in rule.after}
    for rule in story.badge.rules:
        if rule.within is None and rule.key not in waited_for:
            assert len(account.held.evidence.get(rule.key, ())) <= rule.count


def _matches(seen: Sequence[reference.Happening]) -> Iterator[list[Any]]:
    """Requirement, penalty, event: one decision each, once however often it was delivered."""
    for each in {each.id: each for each in seen}.values():
        yield from ([key, "", each.id] for key in each.requirements)
        yield from (["", name, each.id] for name in each.penalties)


@THRICE
@given(_told, streams(), _cuts, st.randoms(use_true_random=False))
def test_batches_and_order_leave_no_trace(
    told: list[Story], events: list[Event], cuts: list[int], random: Any
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    whole = left(told, events, [])
    assert left(told, events, [1] * len(events)) == whole
    assert left(told, shuffled, cuts)[0] == whole[0]


def left(told: Sequence[Story], events: Sequence[Event], cuts: Sequence[int]) -> tuple[Any, Any]:
    """The rows of progress, and those that tell of the order in which events arrived."""
    with rolled_back():
        number_of = {pk: number for number, pk in enumerate(store(told))}
        deliver(events, cuts)

        def told_of(rows: Any, *fields: str) -> dict[Pair, list[Any]]:
            found = grouped(rows, *fields)
            return {(who, number_of[template]): each for (who, template), each in found.items()}

        evidence = Fulfillment.objects.values_list(
            "progress__learner__lms_user_id",
            "progress__template__name",
            "key",
            "event_id",
            "event_time",
            "value",
        )
        progress = told_of(BadgeProgress.objects, "complete", "resets")
        credentials = ("status", "awarded_at", "awarded_by_event", "revoked_by_event", "live")
        decisions = ("requirement", "penalty", "event_id", "outcome", "counted", "seen")
        return (
            (progress, sorted(evidence)),
            (
                told_of(UserCredential.objects, *credentials),
                told_of(BadgeProgress.objects, "completed_at"),
                told_of(Decision.objects.exclude(outcome__in=ENDINGS), *decisions),
                told_of(Decision.objects.filter(outcome__in=ENDINGS), *decisions),
            ),
        )
