"""The story of the badges app, from top to bottom. Only this module knows the order of steps."""

from collections.abc import Sequence

from badges import news, rulebook
from badges.progressed import LearnerMatch
from badges.steps import decisions, progress
from credentials import issuances, lifecycle, outbox
from events.event import LearnerEvent


def process(events: Sequence[LearnerEvent]) -> None:
    """Rules -> progress -> credential -> issuance -> decisions, for a batch of accepted events in
    the order of their delivery. Requires the transaction that claimed them.
    """
    now = events[0].received_at
    book = rulebook.current()
    matches = [LearnerMatch(each, match) for each in events for match in book.match(each.event)]
    progressed = progress.apply(matches)
    news.tell(progressed)
    applied = lifecycle.apply(progressed.transitions)
    issuances.want(applied.changes, now=now)
    outbox.announce(applied.changes)
    decisions.record(progressed, applied, now=now)
