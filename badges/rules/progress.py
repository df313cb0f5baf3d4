"""Progress: a function of the set of matched events and their own times.

An evidence counts when it is later than its requirement's last reset; at equal times the reset
wins. So late, repeated and reordered delivery of the same events leaves the same progress.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum
from uuid import UUID

import attrs

from badges.rules.book import Met, Penalty, Requirement, Template
from badges.rules.evidence import Evidence, Tally, keep, newest, tally


class Outcome(Enum):
    """What one matched requirement or penalty did."""

    FULFILLED = "fulfilled"
    ALREADY = "already"
    COUNTED = "counted"
    STALE = "stale"
    RESET = "reset"


@attrs.frozen
class Held:
    """What a learner holds of one template. Keys are requirement keys; evidence is in the order
    of time. `pins`: fulfilled under former rules, since that evidence, and kept although the
    present rules would say otherwise. `complete` is what was last judged: a change of the rules
    alone makes no transition.
    """

    complete: bool = False
    resets: Mapping[str, datetime] = attrs.field(factory=dict)
    evidence: Mapping[str, tuple[Evidence, ...]] = attrs.field(factory=dict)
    pins: Mapping[str, Evidence] = attrs.field(factory=dict)


@attrs.frozen
class Matched:
    """What one event met of one template."""

    event_id: UUID
    at: datetime
    met: tuple[Met, ...] = ()
    penalties: tuple[Penalty, ...] = ()


@attrs.frozen
class Effect:
    """What one matched requirement or penalty did. `counted` of `demanded` for a requirement.
    `lost`, at the first penalty of an event that resets: the requirements that were fulfilled and
    are no more, also those that waited for one that was reset.
    """

    rule: Requirement | Penalty
    outcome: Outcome
    counted: int = 0
    demanded: int = 0
    lost: tuple[str, ...] = ()


@attrs.frozen
class Standing:
    """Where a learner stands: the tally of each requirement, how many groups are met."""

    tallies: Mapping[str, Tally]
    groups_met: int
    groups_required: int

    @property
    def fulfilled(self) -> frozenset[str]:
        return frozenset(key for key, each in self.tallies.items() if each.fulfilled)

    @property
    def complete(self) -> bool:
        """Exact, never a rounded ratio; a template that demands nothing is never complete."""
        return 0 < self.groups_required == self.groups_met


@attrs.frozen
class Step:
    """The result of one event: what is held now, where that stands, what each match did."""

    held: Held
    standing: Standing
    effects: tuple[Effect, ...]


def standing(template: Template, *, held: Held) -> Standing:
    tallies: dict[str, Tally] = {}
    for each in template.in_order:
        tallies[each.key] = _tally(each, held, tallies)
    met = Counter(each.group for each in template.requirements if tallies[each.key].fulfilled)
    return Standing(
        tallies=tallies,
        groups_met=sum(met[label] >= required for label, required in template.groups.items()),
        groups_required=len(template.groups),
    )


def _tally(requirement: Requirement, held: Held, known: Mapping[str, Tally]) -> Tally:
    """`known`: the tallies of what it waits for."""
    reset = held.resets.get(requirement.key)
    pin = held.pins.get(requirement.key)
    if pin is not None and (reset is None or pin.at > reset):
        return Tally(requirement.demand.count, pin)
    moments: list[datetime | None] = [reset]
    for key in requirement.after:
        prerequisite = known.get(key, Tally()).fulfilled
        if prerequisite is None:
            return Tally()
        moments.append(prerequisite.at)
    evidence = held.evidence.get(requirement.key, ())
    return tally(requirement.demand, evidence=evidence, after=newest(moments))


def advance(
    template: Template, *, held: Held, matched: Matched, before: Standing | None = None
) -> Step:
    """Apply one event: requirements before penalties, then judge once. `before` is the standing of
    `held`, when the caller has it at hand.
    """
    before = before or standing(template, held=held)
    resets, evidence, pins = dict(held.resets), dict(held.evidence), dict(held.pins)
    stale = {
        each.requirement.key
        for each in matched.met
        if not _count(template, each, matched, evidence, resets)
    }
    after = Held(held.complete, resets, evidence, pins)
    reached = standing(template, held=after) if matched.met else before
    counted = [
        _effect(each.requirement, before, reached, stale=each.requirement.key in stale)
        for each in matched.met
    ]
    undone = [_reset(each, matched.at, evidence, resets, pins) for each in matched.penalties]
    resetting = next((n for n, each in enumerate(undone) if each.outcome is Outcome.RESET), None)
    if resetting is not None:
        fulfilled, reached = reached.fulfilled, standing(template, held=after)
        lost = tuple(sorted(fulfilled - reached.fulfilled))
        undone[resetting] = attrs.evolve(undone[resetting], lost=lost)
    return Step(
        held=attrs.evolve(after, complete=_is_complete(held, before, reached)),
        standing=reached,
        effects=(*counted, *undone),
    )


def without(held: Held, evidence: Collection[tuple[str, UUID]]) -> Held:
    """`held` without that evidence, named by requirement and event."""
    left = {
        key: tuple(each for each in known if (key, each.event_id) not in evidence)
        for key, known in held.evidence.items()
    }
    return attrs.evolve(held, evidence={key: known for key, known in left.items() if known})


def _is_complete(held: Held, before: Standing, reached: Standing) -> bool:
    """Events alone never take away what an edit of the rules left: only losing a met group does."""
    return reached.complete or (held.complete and reached.groups_met >= before.groups_met)


def carry_over(old: Template, new: Template, *, held: Held) -> Held:
    """What a learner holds after the rules of a template were edited.

    A requirement that was fulfilled and still exists stays fulfilled, pinned to the version under
    which it was, until it is reset. Evidence of a requirement that looks for other events now
    counts no more. Everything else is judged anew. Whoever was complete stays so, until something
    that was met is lost: an edit takes no badge away.
    """
    before = standing(old, held=held)
    former = {each.key: each for each in old.requirements}
    kept = {each.key for each in new.requirements if each.key in former}
    evidence = {
        each.key: tuple(
            keep(
                each.demand,
                evidence=held.evidence[each.key],
                is_prerequisite=each.key in new.prerequisites,
            )
        )
        for each in new.requirements
        if each.key in held.evidence and each.key in kept and each.looks_for(former[each.key])
    }
    after = Held(
        complete=held.complete,
        resets={key: at for key, at in held.resets.items() if key in kept},
        evidence=evidence,
        pins={key: pin for key, pin in held.pins.items() if key in kept},
    )
    for each in new.in_order:
        was = before.tallies[each.key].fulfilled if each.key in kept else None
        if was is not None and not standing(new, held=after).tallies[each.key].fulfilled:
            after = attrs.evolve(after, pins={**after.pins, each.key: was})
    return attrs.evolve(after, complete=held.complete or standing(new, held=after).complete)


def _count(
    template: Template,
    met: Met,
    matched: Matched,
    evidence: dict[str, tuple[Evidence, ...]],
    resets: Mapping[str, datetime],
) -> bool:
    """Add the event to the evidence; False when it is older than the last reset."""
    key = met.requirement.key
    last_reset = resets.get(key)
    if last_reset is not None and matched.at <= last_reset:
        return False
    known = evidence.get(key, ())
    if all(each.event_id != matched.event_id for each in known):
        fresh = Evidence(matched.at, matched.event_id, met.value, template.version)
        evidence[key] = keep(
            met.requirement.demand,
            evidence=(*known, fresh),
            is_prerequisite=key in template.prerequisites,
        )
    return True


def _effect(requirement: Requirement, before: Standing, after: Standing, *, stale: bool) -> Effect:
    was, now = before.tallies[requirement.key], after.tallies[requirement.key]
    if stale:
        outcome = Outcome.STALE
    elif was.fulfilled:
        outcome = Outcome.ALREADY
    elif now.fulfilled:
        outcome = Outcome.FULFILLED
    else:
        outcome = Outcome.COUNTED
    return Effect(requirement, outcome, now.counted, requirement.demand.count)


def _reset(
    penalty: Penalty,
    at: datetime,
    evidence: dict[str, tuple[Evidence, ...]],
    resets: dict[str, datetime],
    pins: dict[str, Evidence],
) -> Effect:
    outcome = Outcome.STALE
    for key in penalty.resets:
        if key in resets and at <= resets[key]:
            continue
        resets[key] = at
        outcome = Outcome.RESET
        left = tuple(each for each in evidence.get(key, ()) if each.at > at)
        if left:
            evidence[key] = left
        else:
            evidence.pop(key, None)
        if key in pins and pins[key].at <= at:
            del pins[key]
    return Effect(penalty, outcome)
