"""Why a learner has, lost or does not yet have a badge: the rows that say so."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import attrs

from badges.models import Decision
from badges.rules.book import Requirement
from badges.rules.conditions import Condition
from badges.rules.progress import Effect
from badges.rules.values import Absent
from credentials import bulk
from credentials.lifecycle import Applied, Transition, Verb
from events.builders import personal_paths
from events.event import LearnerEvent
from events.registry import subscriptions

Outcome = Decision.Outcome
Seen = list[str]  # key path, operator, expected, seen
PERSONAL: Final = "(personal)"
_TEXT: Final = 200


@attrs.frozen
class Told:
    """A row of Decision that is to be written, its columns in their order. Not a model instance:
    every match makes one.
    """

    learner_id: int
    template_id: int
    event_time: datetime
    outcome: str
    made_at: datetime
    event_id: UUID | None
    version: int
    requirement: str = ""
    penalty: str = ""
    event_type: str = ""
    counted: int = 0
    demanded: int = 0
    seen: Sequence[Seen] = ()
    reason: str = ""


_COLUMNS: Final = tuple(each.name for each in attrs.fields(Told))
_columns = attrgetter(*_COLUMNS)


def write(rows: Iterable[Told]) -> None:
    """Requires the transaction of what the rows tell. One statement."""
    bulk.insert(Decision, _COLUMNS, list(map(_columns, rows)))


def of_effect(matched: LearnerEvent, effect: Effect, *, template_id: int, version: int) -> Told:
    """What one match did."""
    event, rule = matched.event, effect.rule
    is_requirement = isinstance(rule, Requirement)
    return Told(
        learner_id=matched.learner_id,
        template_id=template_id,
        version=version,
        requirement=rule.key if is_requirement else "",
        penalty="" if is_requirement else rule.key,
        event_id=event.id,
        event_type=event.type,
        event_time=event.time,
        outcome=effect.outcome.value,
        counted=effect.counted,
        demanded=effect.demanded,
        seen=[seen(condition, event) for condition in rule.conditions],
        made_at=matched.received_at,
    )


def of_transitions(
    transitions: Sequence[Transition], applied: Applied, *, now: datetime, reason: str = ""
) -> Iterator[Told]:
    """What the transitions led to: awarded, revoked, blocked. A transition that changed nothing
    (staff had awarded the badge before) leaves no row.
    """
    events = {
        (each.credential.learner_id, each.credential.template_id, each.verb, each.at)
        for each in applied.changes
    }
    for each in transitions:
        verb = Verb.AWARDED if each.complete else Verb.REVOKED
        if each in applied.blocked:
            outcome = Outcome.BLOCKED
        elif (each.learner_id, each.template_id, verb, each.at) in events:
            outcome = Outcome.AWARDED if each.complete else Outcome.REVOKED
        else:
            continue
        yield Told(
            learner_id=each.learner_id,
            template_id=each.template_id,
            version=each.rules_version or 0,
            event_id=each.event_id,
            event_time=each.at,
            outcome=outcome.value,
            reason=reason or each.reason,
            made_at=now,
        )


def seen(condition: Condition, event: Any) -> Seen:
    """What was expected and what was there; nothing personal."""
    rule = condition.rule
    return [rule.path, rule.operator, rule.value[:_TEXT], _shown(condition, event)]


def _shown(condition: Condition, event: Any) -> str:
    payload_type = subscriptions()[event.type].payload_type
    if condition.rule.path in personal_paths(payload_type):
        return PERSONAL
    actual = condition.actual(event)
    return actual.value if isinstance(actual, Absent) else str(actual)[:_TEXT]
