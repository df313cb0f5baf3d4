"""From findings to the flow: what would change something becomes an event.

Note [What needs no event]
    A run finds out about everybody, every time, and nearly all of it is known. A result is left
    out when no active requirement or penalty matches it; when the requirements that it meets are
    fulfilled already; when there is nothing left that its penalties could take. Everything else
    becomes an event, with the id that the run and the learner give: done twice, it counts once.
    The price: what was fulfilled keeps the time of the first run that said so, and what was not
    there to be taken is not remembered as taken.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

import attrs
from openedx_events.learning.data import UserData, UserPersonalData

from badges import accounts, rulebook
from badges.accounts import Account, Pair
from badges.preview import newest_live
from badges.progressed import LearnerMatch
from badges.rules.book import RuleBook, TemplateMatch
from badges.steps import progress
from certificates.models import EligibilitySchedule
from certificates.spool import Finding
from credentials.database import with_retries
from credentials.lifecycle import Verdict, judge
from credentials.models import Learner, UserCredential
from events.eligibility import EVENT_TYPE, EligibilityData
from events.event import Event, LearnerEvent
from events.pipeline import process_batch
from events.registry import Subscription, subscriptions
from events.wire import make_event

BATCH: Final = 500  # learners
# What the events of one run about learners of one verdict have in common.
_SHARED: Final = frozenset(
    {"context_key", "is_eligible", "metadata.source", "metadata.sourcehost", "metadata.time"}
)


class NotConfiguredError(Exception):
    """The event type of schedules does not take part: somebody took it out of BADGES_CONFIG."""


@attrs.frozen
class Source:
    """Which schedule and which run the findings come from, and when they were found."""

    schedule_name: str
    context_key: str
    run: UUID
    at: datetime

    @classmethod
    def of(cls, schedule: EligibilitySchedule, *, run: UUID, at: datetime) -> "Source":
        return cls(schedule.source, schedule.context_key, run, at)


def verdicts_that_matter(source: Source) -> frozenset[bool]:
    """Of which learners, eligible or not, a finding could meet a rule at all. Where no rule looks
    at the learner or at the details, one made-up learner of each verdict speaks for all. One query
    when the rules are known. Raises NotConfiguredError.
    """
    subscription = _subscription()
    book = rulebook.current()
    if not _are_alike(book):
        return frozenset({True, False})
    some = {verdict: Finding(1, is_eligible=verdict) for verdict in (True, False)}
    return frozenset(
        verdict
        for verdict, found in some.items()
        if book.match(_event(found, source=source, subscription=subscription))
    )


@attrs.frozen
class _Candidate:
    """A finding that meets something. `event` is as the rules read it: without its id, which is
    dear, and without the learner. `learner_id`: key of the row, negative for a newcomer.
    """

    found: Finding
    event: Event
    learner_id: int
    match: TemplateMatch

    @property
    def pair(self) -> Pair:
        return self.learner_id, self.match.template.id


@attrs.frozen
class Sifted:
    """`needed`: what changes something. `known`: eligible learners of whom everything was known.
    `matched`: how many results met a rule at all.
    """

    needed: tuple[_Candidate, ...]
    accounts: Mapping[Pair, Account]
    known: int
    matched: int


@attrs.frozen
class Outcome:
    """How much a piece of the work adds to the counts. `named`: who would be awarded, when it is
    only asked.
    """

    awarded: int = 0
    known: int = 0
    matched: int = 0
    named: tuple[Finding, ...] = ()


def feed(
    batches: Iterable[Sequence[Finding]], *, source: Source, clock: Callable[[], datetime]
) -> Iterator[Outcome]:
    """Process what changes something, gathered from the batches until there are enough events for
    a transaction; a fixed number of statements for each. Raises NotConfiguredError,
    DatabaseGoneError, and what a handler of the flow raises.
    """
    waiting: dict[UUID, Event] = {}
    for findings in batches:
        sifted = sift(findings, source=source)
        yield Outcome(known=sifted.known, matched=sifted.matched)
        for each in sifted.needed:
            event = _complete(each, source=source)
            waiting[event.id] = event
        if len(waiting) >= BATCH:
            yield _process(list(waiting.values()), now=clock())
            waiting = {}
    if waiting:
        yield _process(list(waiting.values()), now=clock())


def _process(events: Sequence[Event], *, now: datetime) -> Outcome:
    with_retries(lambda: process_batch(events, now=now))
    # By learner too: the event alone has no index.
    rows = UserCredential.objects.filter(
        learner__lms_user_id__in=[each.payload.user.id for each in events],
        awarded_by_event__in=[each.id for each in events],
    )
    return Outcome(awarded=rows.count())


def rehearse(
    batches: Iterable[Sequence[Finding]], *, source: Source, clock: Callable[[], datetime]
) -> Iterator[Outcome]:
    """Who would be awarded. Writes nothing. A fixed number of statements for each batch."""
    for findings in batches:
        sifted = sift(findings, source=source)
        awards = _rehearsed(sifted, source=source, now=clock())
        who = {each.learner_id: each.found for each in sifted.needed}
        named = tuple(who[each] for each in dict.fromkeys(awards))
        yield Outcome(len(awards), sifted.known, sifted.matched, named)


def _rehearsed(sifted: Sifted, *, source: Source, now: datetime) -> list[int]:
    """The learners who would be awarded, once for each badge."""
    opened = {
        each.pair: sifted.accounts.get(each.pair)
        or accounts.blank(each.learner_id, each.match.template)
        for each in sifted.needed
    }
    live = newest_live(
        sorted({learner for learner, _ in opened if learner > 0}),
        {template for _, template in opened},
    )
    matches = [
        LearnerMatch(LearnerEvent(_complete(each, source=source), each.learner_id, now), each.match)
        for each in sifted.needed
    ]
    return [
        each.learner_id
        for each in progress.advance_all(opened, matches).transitions
        if judge(each, live=live.get((each.learner_id, each.template_id))) is Verdict.AWARD
    ]


def sift(findings: Sequence[Finding], *, source: Source) -> Sifted:
    """See Note [What needs no event]. Four statements, writes nothing."""
    met = _met(findings, source=source)
    opened = _accounts(met)
    needed = tuple(each for each in met if _changes(each, opened.get(each.pair), source.run))
    busy = {each.learner_id for each in needed}
    eligible = {each.learner_id for each in met if each.found.is_eligible}
    return Sifted(needed, opened, known=len(eligible - busy), matched=len(met))


def _met(findings: Sequence[Finding], *, source: Source) -> list[_Candidate]:
    subscription = _subscription()
    book = rulebook.current()
    people = _people([each.lms_user_id for each in findings])
    met: list[_Candidate] = []
    for found in findings:
        # Nobody knows a newcomer by a key yet; a negative one is nobody else's.
        key, is_active = people.get(found.lms_user_id, (-found.lms_user_id, True))
        event = _event(found, source=source, subscription=subscription, is_active=is_active)
        met += [_Candidate(found, event, key, match) for match in book.match(event)]
    return met


@lru_cache(maxsize=1)
def _are_alike(book: RuleBook) -> bool:
    """Does every rule on such events read only what all learners of one verdict share?"""
    read: set[str] = set()
    for template in book.templates.values():
        for rule in template.requirements:
            if rule.event_type == EVENT_TYPE:
                read.update(each.rule.path for each in rule.conditions)
                read |= {rule.distinct_by.path} if rule.distinct_by is not None else set()
        for penalty in template.penalties:
            if penalty.event_type == EVENT_TYPE:
                read.update(each.rule.path for each in penalty.conditions)
    return read <= _SHARED


def _subscription() -> Subscription:
    found = subscriptions().get(EVENT_TYPE)
    if found is None:
        raise NotConfiguredError(f'Add "{EVENT_TYPE}" to BADGES_CONFIG["events"].')
    return found


def _people(lms_user_ids: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """Key and activity of those who are known."""
    rows = Learner.objects.filter(lms_user_id__in=lms_user_ids)
    found = rows.values_list("lms_user_id", "pk", "is_active")
    return {lms_id: (pk, active) for lms_id, pk, active in found if lms_id is not None}


def _event(
    found: Finding, *, source: Source, subscription: Subscription, is_active: bool = True
) -> Event:
    pii = UserPersonalData(username=found.username, email=found.email, name=found.name)
    return Event(
        id=source.run,
        type=subscription.event_type,
        time=source.at,
        source=source.schedule_name,
        sourcehost="",
        payload=EligibilityData(
            user=UserData(id=found.lms_user_id, is_active=is_active, pii=pii),
            context_key=source.context_key,
            is_eligible=found.is_eligible,
            details=found.details,
        ),
        learner=None,
    )


def _complete(candidate: _Candidate, *, source: Source) -> Event:
    event = candidate.event
    return make_event(
        _subscription(),
        payload=event.payload,
        event_id=_event_id(candidate.found, source.run),
        time=event.time,
        source=event.source,
        sourcehost=event.sourcehost,
        origin=f"{source.schedule_name}/runs/{source.run}",
    )


def _event_id(found: Finding, run: UUID) -> UUID:
    return uuid5(run, str(found.lms_user_id))


def _accounts(met: Sequence[_Candidate]) -> dict[Pair, Account]:
    templates = {each.match.template.id: each.match.template for each in met}
    learners = {each.learner_id for each in met if each.learner_id > 0}
    return accounts.look(sorted(learners), templates) if learners else {}


def _changes(candidate: _Candidate, account: Account | None, run: UUID) -> bool:
    """See Note [What needs no event]. What this very run fulfilled before it was interrupted
    comes again: it is a duplicate, and counts as done by this run.
    """
    match = candidate.match
    if account is None:
        return bool(match.met)
    for met in match.met:
        fulfilled = account.standing.tallies[met.requirement.key].fulfilled
        if fulfilled is None or fulfilled.event_id == _event_id(candidate.found, run):
            return True
    held = account.held
    return any(
        key in held.evidence or key in held.pins for each in match.penalties for key in each.resets
    )
