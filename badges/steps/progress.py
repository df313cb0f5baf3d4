"""Step 5: what each learner holds, loaded and locked, advanced event by event, written back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs

from badges.models import BadgeProgress, Fulfillment
from badges.rules.book import Penalty, Template, TemplateMatch
from badges.rules.progress import Evidence, Held, Matched, advance
from credentials.database import in_chunks
from credentials.lifecycle import Transition
from events.event import LearnerEvent

Pair = tuple[int, int]  # learner id, template id


@attrs.frozen
class LearnerMatch:
    """One event of one learner, and what it met of one template."""

    event: LearnerEvent
    match: TemplateMatch

    @property
    def pair(self) -> Pair:
        return self.event.learner_id, self.match.template.id


@attrs.define
class _Account:
    """The progress of one learner and template while the batch is applied."""

    row: BadgeProgress
    template: Template
    before: Held
    held: Held
    stored: Mapping[str, int]  # key of the requirement -> key of its Fulfillment row


def apply(matches: Sequence[LearnerMatch]) -> list[Transition]:
    """Apply the matches in their order; returns the transitions in the order they happened.

    Requires a transaction; locks the progress rows in one fixed order. Six statements at most.
    """
    if not matches:
        return []
    templates = {each.match.template.id: each.match.template for each in matches}
    accounts = _open({each.pair for each in matches}, templates)
    transitions = [
        transition
        for each in matches
        if (transition := _advance(accounts[each.pair], each)) is not None
    ]
    _write(accounts.values())
    return transitions


def _advance(account: _Account, each: LearnerMatch) -> Transition | None:
    event = each.event.event
    step = advance(
        account.template,
        held=account.held,
        matched=Matched(event.id, event.time, each.match.requirements, each.match.penalties),
    )
    was_complete, account.held = account.held.complete, step.held
    if was_complete == step.held.complete:
        return None
    account.row.complete = step.held.complete
    account.row.completed_at = event.time if step.held.complete else None
    return Transition(
        learner_id=each.event.learner_id,
        template_id=account.template.id,
        complete=step.held.complete,
        reissue_allowed=account.template.reissue_allowed,
        at=event.time,
        event_id=event.id,
        reason=_reason(each.match.penalties),
    )


def _reason(penalties: Iterable[Penalty]) -> str:
    return ", ".join(each.key for each in penalties)


def _open(pairs: set[Pair], templates: Mapping[int, Template]) -> dict[Pair, _Account]:
    """Make the rows that do not exist yet, then lock and read all of them."""
    in_order = sorted(pairs)
    BadgeProgress.objects.bulk_create(
        [BadgeProgress(learner_id=learner, template_id=template) for learner, template in in_order],
        ignore_conflicts=True,
    )
    rows: dict[int, BadgeProgress] = {}
    template_ids = sorted({template for _, template in pairs})
    for chunk in in_chunks(sorted({learner for learner, _ in pairs}), reserve=len(template_ids)):
        found = BadgeProgress.objects.select_for_update().filter(
            learner_id__in=chunk, template_id__in=template_ids
        )
        for row in found.order_by("learner_id", "template_id"):
            if (row.learner_id, row.template_id) in pairs:
                rows[row.pk] = row
    evidence: dict[int, list[Fulfillment]] = defaultdict(list)
    for keys in in_chunks(list(rows)):
        held = Fulfillment.objects.filter(progress_id__in=keys).select_related("requirement")
        for each in held:
            evidence[each.progress_id].append(each)
    return {
        (row.learner_id, row.template_id): _account(row, templates[row.template_id], evidence[pk])
        for pk, row in rows.items()
    }


def _account(row: BadgeProgress, template: Template, found: list[Fulfillment]) -> _Account:
    held = held_of(row, found)
    return _Account(
        row=row,
        template=template,
        before=held,
        held=held,
        stored={each.requirement.key: each.pk for each in found},
    )


def held_of(row: BadgeProgress, found: Iterable[Fulfillment]) -> Held:
    """What the rows say, as the rules see it. `found` comes with its requirements."""
    return Held(
        complete=row.complete,
        resets={key: datetime.fromisoformat(at) for key, at in row.resets.items()},
        evidence={each.requirement.key: Evidence(each.event_time, each.event_id) for each in found},
    )


_WRITTEN: Final = ["complete", "completed_at", "resets", "modified"]


def _write(accounts: Iterable[_Account]) -> None:
    changed: list[BadgeProgress] = []
    added: list[Fulfillment] = []
    outdated: list[int] = []
    for account in accounts:
        before, after = account.before, account.held
        if before.complete != after.complete or before.resets != after.resets:
            account.row.resets = {key: at.isoformat() for key, at in after.resets.items()}
            changed.append(account.row)
        if before.evidence != after.evidence:
            added.extend(_added(account))
            outdated.extend(_outdated(account))
    for keys in in_chunks(outdated):
        Fulfillment.objects.filter(pk__in=keys).delete()
    if added:
        Fulfillment.objects.bulk_create(added)
    if changed:
        BadgeProgress.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["id"], update_fields=_WRITTEN
        )


def _added(account: _Account) -> Iterable[Fulfillment]:
    ids = {each.key: each.id for each in account.template.requirements}
    for key, each in account.held.evidence.items():
        if account.before.evidence.get(key) != each:
            yield Fulfillment(
                progress_id=account.row.pk,
                requirement_id=ids[key],
                event_id=each.event_id,
                event_time=each.at,
            )


def _outdated(account: _Account) -> Iterable[int]:
    """Evidence that was replaced by a later one or undone by a reset."""
    for key, each in account.before.evidence.items():
        if account.held.evidence.get(key) != each:
            yield account.stored[key]
