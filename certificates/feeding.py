"""From findings to the flow: what would change something becomes an event.

Note [What needs no event]
    A run finds out about everybody, every time, and nearly all of it is known. A result is left
    out when no active requirement or penalty matches it; when the requirements that it meets are
    fulfilled already; when there is nothing left that its penalties could take. Everything else
    becomes an event, with the id that the run and the learner give: done twice, it counts once.
    The price: what was fulfilled keeps the time of the first run that said so, and what was not
    there to be taken is not remembered as taken.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

import attrs
from openedx_events.learning.data import UserData, UserPersonalData

from badges import accounts, rulebook
from badges.accounts import Account, Pair
from badges.preview import newest_live
from badges.progressed import LearnerMatch
from badges.rules.book import TemplateMatch
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


@attrs.frozen
class Sifted:
    """`needed`: what changes something. `known`: eligible learners of whom everything was known.
    `matched`: how many results met a rule at all.
    """

    needed: tuple[LearnerMatch, ...]
    accounts: Mapping[Pair, Account]
    known: int
    matched: int

    @property
    def events(self) -> list[Event]:
        """Each once, in order."""
        return list({each.event.event.id: each.event.event for each in self.needed}.values())


@attrs.frozen
class Outcome:
    """What came of a batch. `awards`: the LMS id of the learner, for each badge."""

    awards: tuple[int, ...]
    known: int
    matched: int


def feed(findings: Sequence[Finding], *, source: Source, now: datetime) -> Outcome:
    """Process what changes something; one transaction, a fixed number of statements. Raises
    NotConfiguredError, DatabaseGoneError, and what a handler of the flow raises.
    """
    sifted = sift(findings, source=source, now=now)
    events = sifted.events
    if not events:
        return Outcome((), sifted.known, sifted.matched)
    with_retries(lambda: process_batch(events, now=now))
    ids: dict[UUID | None, int] = {each.id: each.payload.user.id for each in events}
    # By learner too: the event alone has no index.
    rows = UserCredential.objects.filter(
        learner__lms_user_id__in=list(ids.values()), awarded_by_event__in=list(ids)
    )
    awarded = rows.order_by("id").values_list("awarded_by_event", flat=True)
    return Outcome(tuple(ids[each] for each in awarded), sifted.known, sifted.matched)


def rehearse(findings: Sequence[Finding], *, source: Source, now: datetime) -> Outcome:
    """Who would be awarded. Writes nothing. A fixed number of statements."""
    sifted = sift(findings, source=source, now=now)
    opened = {
        each.pair: sifted.accounts.get(each.pair)
        or accounts.blank(each.event.learner_id, each.match.template)
        for each in sifted.needed
    }
    live = newest_live(
        sorted({learner for learner, _ in opened if learner > 0}),
        {template for _, template in opened},
    )
    awards = []
    lms_ids = {each.event.learner_id: each.event.event.payload.user.id for each in sifted.needed}
    for each in progress.advance_all(opened, sifted.needed).transitions:
        verdict = judge(each, live=live.get((each.learner_id, each.template_id)))
        if verdict is Verdict.AWARD:
            awards.append(lms_ids[each.learner_id])
    return Outcome(tuple(awards), sifted.known, sifted.matched)


def sift(findings: Sequence[Finding], *, source: Source, now: datetime) -> Sifted:
    """See Note [What needs no event]. Four statements, writes nothing."""
    subscription = _subscription()
    book = rulebook.current()
    people = _people([each.lms_user_id for each in findings])
    matches: list[LearnerMatch] = []
    for each in findings:
        # Nobody knows a newcomer by a key yet; a negative one is nobody else's.
        key, is_active = people.get(each.lms_user_id, (-each.lms_user_id, True))
        event = _event(each, source=source, subscription=subscription, is_active=is_active)
        matches += [
            LearnerMatch(LearnerEvent(event, key, now), match) for match in book.match(event)
        ]
    opened = _accounts(matches)
    needed = tuple(each for each in matches if _changes(each, opened.get(each.pair)))
    busy = {each.event.learner_id for each in needed}
    eligible = {each.event.learner_id for each in matches if each.event.event.payload.is_eligible}
    return Sifted(needed, opened, known=len(eligible - busy), matched=len(matches))


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


def _event(found: Finding, *, source: Source, subscription: Subscription, is_active: bool) -> Event:
    pii = UserPersonalData(username=found.username, email=found.email, name=found.name)
    return make_event(
        subscription,
        payload=EligibilityData(
            user=UserData(id=found.lms_user_id, is_active=is_active, pii=pii),
            context_key=source.context_key,
            is_eligible=found.is_eligible,
            details=found.details,
        ),
        event_id=uuid5(source.run, str(found.lms_user_id)),
        time=source.at,
        source=source.schedule_name,
        sourcehost="",
        origin=f"{source.schedule_name}/runs/{source.run}",
    )


def _accounts(matches: Sequence[LearnerMatch]) -> dict[Pair, Account]:
    templates = {each.match.template.id: each.match.template for each in matches}
    learners = {each.event.learner_id for each in matches if each.event.learner_id > 0}
    return accounts.look(sorted(learners), templates) if learners else {}


def _changes(found: LearnerMatch, account: Account | None) -> bool:
    """See Note [What needs no event]. What this very run fulfilled before it was interrupted
    comes again: it is a duplicate, and counts as done by this run.
    """
    match: TemplateMatch = found.match
    if account is None:
        return bool(match.met)
    for met in match.met:
        fulfilled = account.standing.tallies[met.requirement.key].fulfilled
        if fulfilled is None or fulfilled.event_id == found.event.event.id:
            return True
    held = account.held
    return any(
        key in held.evidence or key in held.pins for each in match.penalties for key in each.resets
    )
