"""The story of the badges app, from top to bottom. Only this module knows the order of steps."""

from collections.abc import Sequence

from badges import rulebook
from badges.steps import progress
from badges.steps.progress import LearnerMatch
from credentials import issuances, lifecycle, outbox
from events.event import LearnerEvent


def process(events: Sequence[LearnerEvent]) -> None:
    """Rules -> progress -> credential -> issuance, for a batch of accepted events in the order of
    their delivery. Requires the transaction that claimed them.
    """
    book = rulebook.current()
    matches = [LearnerMatch(each, match) for each in events for match in book.match(each.event)]
    transitions = progress.apply(matches)
    changes = lifecycle.apply(transitions)
    issuances.want(changes, now=events[0].received_at)
    outbox.announce(changes)
