"""Progress: a function of the set of matched events and their own times.

An evidence counts when it is later than its requirement's last reset; at equal times the reset
wins. So late, repeated and reordered delivery of the same events leaves the same progress.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from uuid import UUID

import attrs

from badges.rules.book import Penalty, Requirement, Template


class Outcome(Enum):
    """What one matched requirement or penalty did."""

    FULFILLED = "fulfilled"
    ALREADY = "already"
    STALE = "stale"
    RESET = "reset"


@attrs.frozen(order=True)
class Evidence:
    """One event that counts, ordered by its time."""

    at: datetime
    event_id: UUID


@attrs.frozen
class Held:
    """What a learner holds of one template. Keys are requirement keys.

    `complete` is what was last judged: a change of the rules alone makes no transition.
    """

    complete: bool = False
    resets: Mapping[str, datetime] = attrs.field(factory=dict)
    evidence: Mapping[str, Evidence] = attrs.field(factory=dict)


@attrs.frozen
class Matched:
    """What one event met of one template."""

    event_id: UUID
    at: datetime
    requirements: tuple[Requirement, ...] = ()
    penalties: tuple[Penalty, ...] = ()


@attrs.frozen
class Step:
    """The result of one event: what is held now, and what each match did."""

    held: Held
    outcomes: tuple[tuple[Requirement | Penalty, Outcome], ...]


@attrs.frozen
class Standing:
    """Where a learner stands: which requirements are fulfilled, how many groups are met."""

    fulfilled: frozenset[str]
    groups_met: int
    groups_required: int

    @property
    def complete(self) -> bool:
        """Exact, never a rounded ratio; a template that demands nothing is never complete."""
        return 0 < self.groups_required == self.groups_met


def standing(template: Template, *, held: Held) -> Standing:
    fulfilled = frozenset(held.evidence) & {each.key for each in template.requirements}
    met = Counter(each.group for each in template.requirements if each.key in fulfilled)
    return Standing(
        fulfilled=fulfilled,
        groups_met=sum(met[label] >= required for label, required in template.groups.items()),
        groups_required=len(template.groups),
    )


def advance(template: Template, *, held: Held, matched: Matched) -> Step:
    """Apply one event: requirements before penalties, then judge once."""
    resets = dict(held.resets)
    evidence = dict(held.evidence)
    fresh = Evidence(at=matched.at, event_id=matched.event_id)
    fulfilled = [
        (each, _fulfil(each.key, fresh, evidence, resets)) for each in matched.requirements
    ]
    undone = [(each, _reset(each, matched.at, evidence, resets)) for each in matched.penalties]
    after = Held(complete=held.complete, resets=resets, evidence=evidence)
    complete = standing(template, held=after).complete
    return Step(held=attrs.evolve(after, complete=complete), outcomes=(*fulfilled, *undone))


def _fulfil(
    key: str, fresh: Evidence, evidence: dict[str, Evidence], resets: dict[str, datetime]
) -> Outcome:
    last_reset = resets.get(key)
    if last_reset is not None and fresh.at <= last_reset:
        return Outcome.STALE
    known = evidence.get(key)
    # Only the latest can still change an answer: it is the last to be undone by a late reset.
    evidence[key] = fresh if known is None else max(known, fresh)
    return Outcome.FULFILLED if known is None else Outcome.ALREADY


def _reset(
    penalty: Penalty, at: datetime, evidence: dict[str, Evidence], resets: dict[str, datetime]
) -> Outcome:
    outcome = Outcome.STALE
    for key in penalty.resets:
        if key not in resets or resets[key] < at:
            resets[key] = at
            outcome = Outcome.RESET
        if key in evidence and evidence[key].at <= resets[key]:
            del evidence[key]
    return outcome
