"""The archive: accepted events of the past as the rules read them, without personal data.

Note [Learner by learner]
    Progress of one learner depends on no other learner. So the archive is read in pages of
    learners, and within a page each learner's events in the order of their own time: that needs
    neither all events in memory nor a sort of the whole table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import attrs
from django.db.models import Q, QuerySet

from badges.progressed import LearnerMatch
from badges.rules.book import Penalty, Requirement, RuleBook, Template, compile_book
from events.builders import personal_paths
from events.event import Event, LearnerEvent
from events.models import InboxEvent
from events.registry import subscriptions

PAGE: Final = 200  # learners
_ROWS: Final = 500  # events that are fetched at a time


@attrs.frozen
class Past:
    """Some templates against the archived events, or those not older than `since`.

    `gaps` says in words which of their rules cannot be judged there; what they stand in is
    left alone, never silently false.
    """

    book: RuleBook
    gaps: tuple[str, ...]
    since: datetime | None = None

    @property
    def templates(self) -> Sequence[Template]:
        return list(self.book.templates.values())

    def learner_ids(self, *, after: int) -> list[int]:
        """The next PAGE learners with events that could match, in order. One query."""
        rows = self._rows().filter(learner_id__gt=after).order_by("learner_id")
        return list(rows.values_list("learner_id", flat=True).distinct()[:PAGE])

    def matches(
        self, learner_ids: Sequence[int], *, now: datetime
    ) -> tuple[int, list[LearnerMatch]]:
        """How many events of those learners were looked at, and what they meet, by learner, each
        in the order of time. One query, read piece by piece.
        """
        rows = self._rows().filter(learner_id__in=learner_ids).defer("raw", "reason")
        looked_at, found = 0, []
        for row in rows.order_by("learner_id", "event_time", "id").iterator(chunk_size=_ROWS):
            looked_at += 1
            event = LearnerEvent(archived(row), cast("int", row.learner_id), now)
            found += [LearnerMatch(event, match) for match in self.book.match(event.event)]
        return looked_at, found

    def _rows(self) -> QuerySet[InboxEvent]:
        recent = Q() if self.since is None else Q(event_time__gte=self.since)
        return InboxEvent.objects.filter(
            recent,
            state=InboxEvent.State.ACCEPTED,
            event_type__in=list(self.book.shelves),
            learner_id__isnull=False,
        )


def past(templates: Iterable[Template], *, version: int = 0, since: datetime | None = None) -> Past:
    """`version`: the number of the definitions that the templates were compiled from."""
    unreadable = [(template, _gaps(template)) for template in templates]
    readable = [_without(template, gaps) for template, gaps in unreadable]
    words = tuple(f"{key}: {why}" for _, gaps in unreadable for key, why in gaps.items())
    return Past(compile_book(readable, version=version), words, since)


def pages(past: Past) -> Iterator[list[int]]:
    """The ids of all learners with events that could match."""
    last = 0
    while found := past.learner_ids(after=last):
        last = found[-1]
        yield found


def archived(row: InboxEvent) -> Event:
    """An archived event as the rules read events. What the archive left out is missing."""
    return Event(
        id=row.event_id,
        type=row.event_type,
        time=cast("datetime", row.event_time),
        source=row.source,
        sourcehost=row.sourcehost,
        payload=_namespace(row.payload),
        learner=None,
        origin=row.origin,
    )


def _namespace(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _namespace(item) for key, item in value.items()})
    return value


def _gaps(template: Template) -> dict[str, str]:
    """Requirements that cannot be judged, and why. Who cannot see a penalty must not count what
    it would have reset.
    """
    found = {each.key: _why(each) for each in template.requirements}
    for penalty in template.penalties:
        why = _why(penalty)
        for key in penalty.resets if why else ():
            found[key] = found.get(key) or f"its penalty {penalty.key}: {why}"
    return {key: why for key, why in found.items() if why}


def _why(rule: Requirement | Penalty) -> str:
    """Empty when the archive holds everything that `rule` reads."""
    subscription = subscriptions().get(rule.event_type)
    if rule.disabled or subscription is None:
        return "its rules do not fit the installed events"
    paths = [each.rule.path for each in rule.conditions]
    if isinstance(rule, Requirement) and rule.distinct_by is not None:
        paths.append(rule.distinct_by.path)
    personal = personal_paths(subscription.payload_type)
    left_out = [path for path in dict.fromkeys(paths) if path in personal]
    return f"the archive does not keep {' and '.join(left_out)}" if left_out else ""


def _without(template: Template, unreadable: Mapping[str, str]) -> Template:
    return attrs.evolve(
        template,
        requirements=tuple(
            attrs.evolve(each, disabled=each.key in unreadable) for each in template.requirements
        ),
        penalties=tuple(
            attrs.evolve(each, disabled=bool(_why(each))) for each in template.penalties
        ),
    )
