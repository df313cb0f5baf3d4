"""What happens to names when something is said of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs
import structlog
from django.db import transaction

from credentials import bulk, holds
from credentials.database import in_chunks
from credentials.models import DefinitionsVersion, Learner
from events.event import LearnerEvent
from verified_names import drift
from verified_names.folding import Fact, Folded, Name, Outcome, Status, fold
from verified_names.models import NameFact, VerifiedName
from verified_names.signals import verified_name_changed
from verified_names.translation import fact_of

log = structlog.get_logger(__name__)

_Identity = tuple[str, str, int]
_WRITTEN: Final = (
    "verified_name",
    "profile_name",
    "status",
    "event_id",
    "event_time",
    "approved_at",
    "valid_until",
)
_WARNED: Final = frozenset({Outcome.NO_NAME, Outcome.REFUSED, Outcome.MISMATCH})


@attrs.frozen
class Change:
    """A name that is new, or is not what it was. `name` is None when it was taken back: an older
    fact, that came late, stands against it.
    """

    learner_id: int
    source: str
    name: Name | None


@attrs.frozen
class Recorded:
    """The changed names, and what became of each new fact."""

    changes: tuple[Change, ...] = ()
    outcomes: Mapping[UUID, Outcome] = attrs.field(factory=dict)


def apply(events: Sequence[LearnerEvent]) -> None:
    """The handler of a batch. Requires the transaction that claimed the events, and has locked the
    definitions; see `record`. No statement for a batch that says nothing of names.
    """
    facts = [(each.learner_id, fact) for each in events if (fact := fact_of(each)) is not None]
    if facts:
        _record(facts, now=events[0].received_at)


def record(facts: Sequence[tuple[int, Fact]], *, now: datetime) -> Recorded:
    """Keep what was said of the names of these learners, and bring the names up to date.

    Every source of names comes through here, see docs/badges/extending.md. Facts that are known
    already, by their event id, are dropped. Opens a transaction and locks the learners. What
    waits for a name is released, what was issued in another is marked, and `verified_name_changed`
    goes out after the commit. At most fifteen statements, whatever the facts.
    """
    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()  # before all other locks: see its note
        return _record(facts, now=now)


def _record(facts: Sequence[tuple[int, Fact]], *, now: datetime) -> Recorded:
    learner_ids = sorted({learner_id for learner_id, _ in facts})
    learners = _lock(learner_ids)
    known = _facts(learner_ids)
    fresh = _fresh(facts, known)
    if not fresh:
        return Recorded()
    before = {pk: fold(each.values()) for pk, each in known.items()}
    after = {pk: fold([*known[pk].values(), *fresh.get(pk, ())]) for pk in learner_ids}
    outcomes = _keep(fresh, before, after, now=now)
    changes = _write(before, after)
    holds.release_for_learners(_approved(changes), now=now)
    changed = {each.learner_id for each in changes}
    drift.mark([each for each in learners if each.pk in changed], now=now)
    verified_name_changed.tell(record, map(_news, changes))
    return Recorded(tuple(changes), outcomes)


def _news(change: Change) -> dict[str, Any]:
    name = change.name
    return {
        "learner_id": change.learner_id,
        "source": change.source,
        "status": (name.status if name else Status.VOID).value,
        "event_id": name.event_id if name else None,
    }


def _lock(learner_ids: Sequence[int]) -> list[Learner]:
    found: list[Learner] = []
    for chunk in in_chunks(learner_ids):
        found += Learner.objects.select_for_update().filter(pk__in=chunk).order_by("pk")
    return found


def _facts(learner_ids: Sequence[int]) -> dict[int, dict[UUID, Fact]]:
    found: dict[int, dict[UUID, Fact]] = {pk: {} for pk in learner_ids}
    for chunk in in_chunks(learner_ids):
        for row in NameFact.objects.filter(learner_id__in=chunk):
            found[row.learner_id][row.event_id] = row.fact
    return found


def _fresh(
    facts: Iterable[tuple[int, Fact]], known: Mapping[int, Mapping[UUID, Fact]]
) -> dict[int, list[Fact]]:
    found: dict[int, dict[UUID, Fact]] = defaultdict(dict)
    for learner_id, fact in facts:
        if fact.event_id not in known[learner_id]:
            found[learner_id].setdefault(fact.event_id, fact)
    return {learner_id: list(each.values()) for learner_id, each in found.items()}


def _keep(
    fresh: Mapping[int, Sequence[Fact]],
    before: Mapping[int, Folded],
    after: Mapping[int, Folded],
    *,
    now: datetime,
) -> dict[UUID, Outcome]:
    """Add the facts to the history, each with what became of it."""
    rows = []
    outcomes: dict[UUID, Outcome] = {}
    for learner_id, each in fresh.items():
        for fact in each:
            outcome = after[learner_id].outcomes[fact.event_id]
            if outcome is Outcome.COUNTED and _is_late(fact, before[learner_id]):
                outcome = Outcome.STALE
            outcomes[fact.event_id] = outcome
            rows.append(_row(learner_id, fact, outcome, now=now))
            if outcome in _WARNED:
                log.warning(
                    "name not taken over",
                    why=fact.refused or outcome.value,
                    source=fact.source,
                    attempt=fact.attempt,
                    event_id=str(fact.event_id),
                )
    bulk.insert_objects(rows)
    return outcomes


def _is_late(fact: Fact, before: Folded) -> bool:
    return any(
        (each.source, each.attempt) == fact.key and each.at > fact.at
        for each in before.names.values()
    )


def _row(learner_id: int, fact: Fact, outcome: Outcome, *, now: datetime) -> NameFact:
    return NameFact(
        learner_id=learner_id,
        event_id=fact.event_id,
        source=fact.source,
        attempt=fact.attempt,
        status=fact.status,
        event_time=fact.at,
        name=fact.name,
        refused=fact.refused,
        profile_name=fact.profile_name,
        valid_until=fact.valid_until,
        defers=fact.defers,
        reopens=fact.reopens,
        by=fact.by,
        outcome=outcome,
        received_at=now,
    )


def _write(before: Mapping[int, Folded], after: Mapping[int, Folded]) -> list[Change]:
    """Bring the rows to what the facts say now."""
    differing = [
        pk for pk in after if (before[pk].names if pk in before else {}) != after[pk].names
    ]
    if not differing:
        return []
    rows = _rows(differing)
    fresh: list[tuple[VerifiedName, Name]] = []
    changed: list[tuple[VerifiedName, Name]] = []
    for pk in differing:
        for identity, name in after[pk].names.items():
            row = rows.pop((pk, identity), None)
            if row is None:
                fresh.append((_filled(_new(pk, name), name), name))
            elif row.name != name:
                changed.append((_filled(row, name), name))
    gone = list(rows.values())
    bulk.insert_objects([row for row, _ in fresh])
    bulk.update_objects([row for row, _ in changed], _WRITTEN)
    for keys in in_chunks([row.pk for row in gone]):
        VerifiedName.objects.filter(pk__in=keys).delete()
    changes = [Change(row.learner_id, row.source, name) for row, name in (*fresh, *changed)]
    return [*changes, *(Change(row.learner_id, row.source, None) for row in gone)]


def _rows(learner_ids: Sequence[int]) -> dict[tuple[int, _Identity], VerifiedName]:
    found: dict[tuple[int, _Identity], VerifiedName] = {}
    for chunk in in_chunks(learner_ids):
        for row in VerifiedName.objects.filter(learner_id__in=chunk):
            found[row.learner_id, row.name.identity] = row
    return found


def _new(learner_id: int, name: Name) -> VerifiedName:
    return VerifiedName(
        learner_id=learner_id, source=name.source, attempt=name.attempt, number=name.number
    )


def _filled(row: VerifiedName, name: Name) -> VerifiedName:
    row.verified_name = name.name
    row.profile_name = name.profile_name
    row.status = name.status
    row.event_id = name.event_id
    row.event_time = name.at
    row.approved_at = name.approved_at
    row.valid_until = name.valid_until
    return row


def _approved(changes: Iterable[Change]) -> Collection[int]:
    return {
        each.learner_id
        for each in changes
        if each.name is not None and each.name.status is Status.APPROVED
    }
