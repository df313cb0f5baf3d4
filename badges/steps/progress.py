"""Step 5: what each learner holds, loaded and locked, advanced event by event, written back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs

from badges.models import BadgeProgress, Fulfillment
from badges.rules.book import Penalty, Template, TemplateMatch
from badges.rules.evidence import Evidence
from badges.rules.progress import Held, Matched, Standing, advance, standing
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
    standing: Standing
    stored: Mapping[tuple[str, UUID], int]  # requirement and event -> key of the Fulfillment row


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
        matched=Matched(event.id, event.time, each.match.met, each.match.penalties),
        before=account.standing,
    )
    was_complete, account.held = account.held.complete, step.held
    account.standing = step.standing
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
        standing=standing(template, held=held),
        stored={(each.requirement.key, each.event_id): each.pk for each in found},
    )


def held_of(row: BadgeProgress, found: Iterable[Fulfillment]) -> Held:
    """What the rows say, as the rules see it. `found` comes with its requirements."""
    evidence: dict[str, list[Evidence]] = defaultdict(list)
    for each in found:
        evidence[each.requirement.key].append(
            Evidence(each.event_time, each.event_id, each.value, each.version)
        )
    return Held(
        complete=row.complete,
        resets={key: datetime.fromisoformat(at) for key, at in row.resets.items()},
        evidence={key: tuple(sorted(known)) for key, known in evidence.items()},
        pins={key: _read_pin(pin) for key, pin in row.pins.items()},
    )


def _read_pin(pin: Mapping[str, Any]) -> Evidence:
    return Evidence(
        at=datetime.fromisoformat(pin["at"]),
        event_id=UUID(pin["event_id"]),
        version=pin["version"],
    )


def _write_pin(pin: Evidence) -> dict[str, Any]:
    return {"at": pin.at.isoformat(), "event_id": str(pin.event_id), "version": pin.version}


_WRITTEN: Final = ("complete", "completed_at", "resets", "pins", "modified")


def _write(accounts: Iterable[_Account]) -> None:
    changed: list[BadgeProgress] = []
    added: list[Fulfillment] = []
    outdated: list[int] = []
    for account in accounts:
        before, after = account.before, account.held
        if attrs.evolve(before, evidence={}) != attrs.evolve(after, evidence={}):
            account.row.resets = {key: at.isoformat() for key, at in after.resets.items()}
            account.row.pins = {key: _write_pin(pin) for key, pin in after.pins.items()}
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
    for key, known in account.held.evidence.items():
        for each in known:
            if (key, each.event_id) not in account.stored:
                yield Fulfillment(
                    progress_id=account.row.pk,
                    requirement_id=ids[key],
                    event_id=each.event_id,
                    event_time=each.at,
                    value=each.value,
                    version=each.version,
                )


def _outdated(account: _Account) -> Iterable[int]:
    """Evidence that was superseded by a later one or undone by a reset."""
    left = {(key, each.event_id) for key, known in account.held.evidence.items() for each in known}
    return (pk for identity, pk in account.stored.items() if identity not in left)
