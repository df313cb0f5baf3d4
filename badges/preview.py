"""Try before you save: what rules would do, without doing it.

Against one sample event: which rule holds, which does not, and what was seen. Against the archive:
what would happen if the template were saved with these rules and then filled from the past.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from badges import accounts, archive, fates
from badges.accounts import Account, Pair
from badges.archive import Past
from badges.decisions import Seen, seen
from badges.fates import CHANGES, Fate, Kind
from badges.models import BadgeProgress
from badges.progressed import LearnerMatch
from badges.rules.book import Penalty, Requirement, Template, compile_book
from badges.rules.progress import Held, Matched, advance, carry_over, standing
from badges.steps import progress
from credentials.database import in_chunks
from credentials.lifecycle import Transition
from credentials.models import Learner, UserCredential
from events.event import Event

NAMED: Final = 20  # learners that are named of each kind


@attrs.frozen
class RuleAnswer:
    """One data rule: key path, operator, expected, seen; and whether it holds."""

    rule: Seen
    holds: bool


@attrs.frozen
class OwnerAnswer:
    """One requirement or penalty. `outcome` says in words what the event would do or why not."""

    id: str
    is_penalty: bool
    matches: bool
    outcome: str
    rules: tuple[RuleAnswer, ...] = ()


@attrs.frozen
class EventAnswer:
    """One event against a template, for a learner who has nothing yet."""

    owners: tuple[OwnerAnswer, ...]
    complete: bool
    groups_met: int
    groups_required: int


def against_event(template: Template, event: Event) -> EventAnswer:
    """No database is read."""
    (match,) = compile_book([template], version=0).match(event) or (None,)
    matched = Matched(
        event.id, event.time, match.met if match else (), match.penalties if match else ()
    )
    step = advance(template, held=Held(), matched=matched)
    outcomes = {
        (each.rule.key, isinstance(each.rule, Penalty)): (
            f"{each.outcome.value} {each.counted}/{each.demanded}"
            if each.demanded
            else each.outcome.value
        )
        for each in step.effects
    }
    owners: tuple[Requirement | Penalty, ...] = (*template.requirements, *template.penalties)
    return EventAnswer(
        owners=tuple(_judged(each, event, outcomes) for each in owners),
        complete=step.held.complete,
        groups_met=step.standing.groups_met,
        groups_required=step.standing.groups_required,
    )


def _judged(
    owner: Requirement | Penalty, event: Event, outcomes: Mapping[tuple[str, bool], str]
) -> OwnerAnswer:
    is_penalty = isinstance(owner, Penalty)
    if owner.disabled:
        why = "its rules do not fit the installed events"
        return OwnerAnswer(owner.key, is_penalty, matches=False, outcome=why)
    if owner.event_type != event.type:
        why = f"looks for {owner.event_type}"
        return OwnerAnswer(owner.key, is_penalty, matches=False, outcome=why)
    rules = tuple(RuleAnswer(seen(each, event), each.holds(event)) for each in owner.conditions)
    outcome = outcomes.get((owner.key, is_penalty))
    if outcome is not None:
        return OwnerAnswer(owner.key, is_penalty, matches=True, outcome=outcome, rules=rules)
    failed = sum(not each.holds for each in rules)
    why = f"{failed} of {len(rules)} rules do not hold" if failed else "nothing to tell it apart by"
    return OwnerAnswer(owner.key, is_penalty, matches=False, outcome=why, rules=rules)


@attrs.frozen
class Part:
    """Learners of one kind: how many, how many for which reason, and the names of the first."""

    count: int = 0
    reasons: Mapping[str, int] = attrs.field(factory=dict)
    usernames: tuple[str, ...] = ()


@attrs.frozen
class ArchiveAnswer:
    """`changed`: how many of the `known` learners would be awarded or revoked. `gaps`: what the
    archive cannot answer, in words.
    """

    events: int
    known: int
    changed: int
    parts: Mapping[Kind, Part]
    gaps: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of the learners known, those who would change."""
        return self.changed / max(self.known, 1)


def against_archive(
    past: Past, *, now: datetime, former: Mapping[int, Template] | None = None
) -> ArchiveAnswer:
    """What saving and filling would do to every learner, page by page. Writes nothing.

    `former`: the rules under which learners progressed so far, where those of `past` are others.
    """
    found = _Gathered()
    events = 0
    for learner_ids in _everybody(past):
        looked_at, matches = past.matches(learner_ids, now=now)
        events += looked_at
        found.add_page(_rehearse(past, learner_ids, matches, former or {}))
    return ArchiveAnswer(
        events=events,
        known=Learner.objects.count(),
        changed=found.changed,
        parts=found.parts(),
        gaps=past.gaps,
    )


def _everybody(past: Past) -> Iterator[list[int]]:
    """Pages of learners with archived events that could match, with progress, or with the badge."""
    templates = [each.id for each in past.templates]
    last = 0
    while True:
        found = set(past.learner_ids(after=last))
        for model in (BadgeProgress, UserCredential):
            for chunk in in_chunks(templates):
                rows = model.objects.filter(template_id__in=chunk, learner_id__gt=last)
                ids = rows.order_by("learner_id").values_list("learner_id", flat=True)
                found.update(ids.distinct()[: archive.PAGE])
        page = sorted(found)[: archive.PAGE]
        if not page:
            return
        last = page[-1]
        yield page


def _rehearse(
    past: Past,
    learner_ids: Sequence[int],
    matches: Sequence[LearnerMatch],
    former: Mapping[int, Template],
) -> Iterator[Fate]:
    templates = {each.id: each for each in past.templates}
    opened = accounts.look(learner_ids, templates)
    live = newest_live(learner_ids, templates)
    for learner_id, template_id in {each.pair for each in matches} | live.keys():
        if (learner_id, template_id) not in opened:
            account = accounts.blank(learner_id, templates[template_id])
            opened[learner_id, template_id] = account
    transitions: dict[Pair, list[Transition]] = defaultdict(list)
    for pair, account in opened.items():
        rules = former.get(account.template.id)
        if rules is not None and _carry_over(account, rules):
            transitions[pair].append(_completed(account))
    for each in progress.replay(opened, matches).transitions:
        transitions[each.learner_id, each.template_id].append(each)
    for pair in sorted(opened):
        yield fates.fate(opened[pair], transitions[pair], live=live.get(pair))


def newest_live(learner_ids: Sequence[int], templates: Collection[int]) -> dict[Pair, bool]:
    """Whether the newest credential is live, of those who have any."""
    found: dict[Pair, bool] = {}
    for chunk in in_chunks(learner_ids, reserve=len(templates)):
        rows = UserCredential.objects.filter(learner_id__in=chunk, template_id__in=list(templates))
        newest = rows.order_by("id").values_list("learner_id", "template_id", "live")
        found.update({(learner, template): bool(live) for learner, template, live in newest})
    return found


def _carry_over(account: Account, former: Template) -> bool:
    """Moves the account to the new rules, as saving them does. True when that completes it."""
    account.held = carry_over(former, account.template, held=account.before)
    account.standing = standing(account.template, held=account.held)
    return account.held.complete and not account.before.complete


def _completed(account: Account) -> Transition:
    return Transition(
        learner_id=account.row.learner_id,
        template_id=account.template.id,
        complete=True,
        reissue_allowed=account.template.reissue_allowed,
        at=datetime.max.replace(tzinfo=UTC),  # never written
        event_id=None,
    )


class _Gathered:
    """Sums up fates page by page; keeps the names of a few."""

    def __init__(self) -> None:
        self.changed = 0
        self._counts: Counter[Kind] = Counter()
        self._reasons: dict[Kind, Counter[str]] = defaultdict(Counter)
        self._named: dict[Kind, dict[int, None]] = defaultdict(dict)

    def add_page(self, fates: Iterable[Fate]) -> None:
        changed = set()
        for each in fates:
            if each.kind is None:
                continue
            self._counts[each.kind] += 1
            self._reasons[each.kind].update(each.reasons)
            if len(self._named[each.kind]) < NAMED:
                self._named[each.kind][each.learner_id] = None
            if each.kind in CHANGES:
                changed.add(each.learner_id)
        self.changed += len(changed)

    def parts(self) -> dict[Kind, Part]:
        """One query."""
        named = {learner_id for ids in self._named.values() for learner_id in ids}
        learners = {each.pk: str(each) for each in Learner.objects.filter(pk__in=named)}
        return {
            kind: Part(
                self._counts[kind],
                dict(self._reasons[kind].most_common()),
                tuple(learners[learner_id] for learner_id in self._named[kind]),
            )
            for kind in Kind
        }
