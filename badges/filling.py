"""Filling templates from the archive: matched events of the past, with their own times and ids,
through the same steps as events that arrive.

The inbox is not asked: evidence is unique per requirement, learner and event, so doing it again
changes nothing. What the archive cannot answer is left alone.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import attrs
from django.db import transaction

from badges import accounts, archive, news, rulebook
from badges.archive import Past
from badges.models import Decision
from badges.progressed import LearnerMatch, Progressed
from badges.rules.book import Penalty
from badges.rules.progress import Effect
from badges.steps import decisions, progress
from credentials import issuances, lifecycle, outbox
from credentials.database import in_chunks
from credentials.lifecycle import Verb
from credentials.models import DefinitionsVersion


class RulesChangedError(RuntimeError):
    """Somebody edited rules meanwhile. What was filled until then is sound; start again."""


@attrs.frozen
class Filled:
    awarded: int = 0
    revoked: int = 0
    blocked: int = 0


def prepare(template_ids: Collection[int] | None, *, since: datetime | None = None) -> Past:
    """Those of the templates that are active, None meaning all, against the archive."""
    book = rulebook.current()
    chosen = [
        each for each in book.templates.values() if template_ids is None or each.id in template_ids
    ]
    return archive.past(chosen, version=book.version, since=since)


def fill(past: Past, *, now: datetime) -> Filled:
    """Opens a transaction for each page of learners. Raises RulesChangedError."""
    total = Filled()
    for learner_ids in archive.pages(past):
        with transaction.atomic():
            DefinitionsVersion.lock_for_reading()
            if DefinitionsVersion.current() != past.book.version:
                raise RulesChangedError
            _, matches = past.matches(learner_ids, now=now)
            done = _apply(matches, now=now)
        total = Filled(
            awarded=total.awarded + done.awarded,
            revoked=total.revoked + done.revoked,
            blocked=total.blocked + done.blocked,
        )
    return total


def _apply(matches: Sequence[LearnerMatch], *, now: datetime) -> Filled:
    """Requires a transaction."""
    if not matches:
        return Filled()
    templates = {each.match.template.id: each.match.template for each in matches}
    opened = accounts.open_accounts({each.pair for each in matches}, templates, now=now)
    progressed = progress.replay(opened, matches)
    accounts.write(opened.values())
    applied = lifecycle.apply(progressed.transitions)
    issuances.want(applied.changes, now=now)
    outbox.announce(applied.changes)
    untold = _untold(progressed)
    decisions.record(untold, applied, now=now)
    news.tell(untold)
    verbs = [each.verb for each in applied.changes]
    return Filled(verbs.count(Verb.AWARDED), verbs.count(Verb.REVOKED), len(applied.blocked))


def _untold(progressed: Progressed) -> Progressed:
    """Without the effects of which a decision exists: an event is told once per requirement and
    penalty.
    """
    matches = [match for match, _ in progressed.effects]
    templates = sorted({each.match.template.id for each in matches})
    learners = sorted({each.event.learner_id for each in matches})
    told: set[tuple[Any, ...]] = set()
    for chunk in in_chunks(learners, reserve=len(templates)):
        rows = Decision.objects.filter(learner_id__in=chunk, template_id__in=templates)
        told.update(
            rows.order_by().values_list(
                "learner_id", "template_id", "event_id", "requirement", "penalty"
            )
        )
    untold = (
        (match, tuple(each for each in effects if _name(match, each) not in told))
        for match, effects in progressed.effects
    )
    return attrs.evolve(progressed, effects=tuple(untold))


def _name(match: LearnerMatch, effect: Effect) -> tuple[Any, ...]:
    key, is_penalty = effect.rule.key, isinstance(effect.rule, Penalty)
    told_of = ("", key) if is_penalty else (key, "")
    return (*match.pair, match.event.event.id, *told_of)
