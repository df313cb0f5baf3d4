"""The progress of learners between the database and the rules: loaded and locked, written back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import attrs

from badges.models import BadgeProgress, Fulfillment
from badges.rules.book import Template
from badges.rules.evidence import Evidence
from badges.rules.progress import Held, Standing, standing
from credentials import bulk
from credentials.database import in_chunks

Pair = tuple[int, int]  # learner id, template id
_WRITTEN: Final = (
    "complete",
    "completed_at",
    "resets",
    "pins",
    "penalties_take_award",
    "modified",
)
_EVIDENCE: Final = (
    "progress_id",
    "requirement_id",
    "key",
    "event_id",
    "event_time",
    "value",
    "version",
)
_COLUMNS: Final = ("learner_id", "template_id", *_WRITTEN)


@attrs.define
class Account:
    """The progress of one learner and template: as it was read, and as it is now."""

    row: BadgeProgress
    template: Template
    before: Held
    held: Held
    standing: Standing
    stored: Mapping[tuple[str, UUID], int]  # requirement and event -> key of the Fulfillment row


def open_accounts(
    pairs: set[Pair], templates: Mapping[int, Template], *, now: datetime
) -> dict[Pair, Account]:
    """Make the rows that do not exist yet, then lock and read all of them, in one fixed order.

    Requires a transaction. Three statements.
    """
    in_order = sorted(pairs)
    bulk.insert_missing(
        BadgeProgress, _COLUMNS, [(*pair, False, None, {}, {}, False, now) for pair in in_order]
    )
    rows = bulk.select_objects(
        BadgeProgress, where=("learner_id", "template_id"), among=in_order, lock=True
    )
    return {(each.row.learner_id, each.row.template_id): each for each in read(rows, templates)}


def read(rows: Sequence[BadgeProgress], templates: Mapping[int, Template]) -> list[Account]:
    """The accounts of these rows. One statement."""
    evidence: dict[int, list[Fulfillment]] = defaultdict(list)
    keys = ((row.pk,) for row in rows)
    for each in bulk.select_objects(Fulfillment, where=("progress_id",), among=keys):
        evidence[each.progress_id].append(each)
    return [_account(row, templates[row.template_id], evidence[row.pk]) for row in rows]


def look(learner_ids: Sequence[int], templates: Mapping[int, Template]) -> dict[Pair, Account]:
    """The accounts that exist, unlocked. Two statements."""
    rows: list[BadgeProgress] = []
    for chunk in in_chunks(learner_ids, reserve=len(templates)):
        rows += BadgeProgress.objects.filter(learner_id__in=chunk, template_id__in=list(templates))
    return {(each.row.learner_id, each.row.template_id): each for each in read(rows, templates)}


def blank(learner_id: int, template: Template) -> Account:
    """The account of somebody who has nothing yet, in no database."""
    return _account(BadgeProgress(learner_id=learner_id, template_id=template.id), template, [])


def _account(row: BadgeProgress, template: Template, found: list[Fulfillment]) -> Account:
    held = held_of(row, found)
    return Account(
        row=row,
        template=template,
        before=held,
        held=held,
        standing=standing(template, held=held),
        stored={(each.key, each.event_id): each.pk for each in found},
    )


def held_of(row: BadgeProgress, found: Iterable[Fulfillment]) -> Held:
    """What the rows say, as the rules see it."""
    evidence: dict[str, list[Evidence]] = defaultdict(list)
    for each in found:
        evidence[each.key].append(
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


def write(accounts: Iterable[Account]) -> None:
    """Write what differs from what was read. Requires the transaction of the reading. Three
    statements at most.
    """
    changed: list[BadgeProgress] = []
    added: list[bulk.Row] = []
    outdated: list[int] = []
    for account in accounts:
        before, after = account.before, account.held
        if _without_evidence(before) != _without_evidence(after):
            account.row.complete = after.complete
            account.row.resets = {key: at.isoformat() for key, at in after.resets.items()}
            account.row.pins = {key: _write_pin(pin) for key, pin in after.pins.items()}
            changed.append(account.row)
        if before.evidence != after.evidence:
            added.extend(_added(account))
            outdated.extend(_outdated(account))
    for keys in in_chunks(outdated):
        Fulfillment.objects.filter(pk__in=keys).delete()
    bulk.insert(Fulfillment, _EVIDENCE, added)
    bulk.update_objects(changed, _WRITTEN)


_without_evidence = attrgetter("complete", "resets", "pins")


def _added(account: Account) -> Iterable[bulk.Row]:
    """Along _EVIDENCE."""
    ids = {each.key: each.id for each in account.template.requirements}
    for key, known in account.held.evidence.items():
        for each in known:
            if (key, each.event_id) not in account.stored:
                yield (
                    account.row.pk,
                    ids[key],
                    key,
                    each.event_id,
                    each.at,
                    each.value,
                    each.version,
                )


def _outdated(account: Account) -> Iterable[int]:
    """Evidence that was superseded by a later one or undone by a reset."""
    left = {(key, each.event_id) for key, known in account.held.evidence.items() for each in known}
    return (pk for identity, pk in account.stored.items() if identity not in left)
