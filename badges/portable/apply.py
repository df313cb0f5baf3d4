"""Carrying a plan out with bulk statements: as many for one template as for thousands, cut only by
the database's parameter limit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs

from badges import editing
from badges.editing import EditEffect
from badges.models import (
    BadgePenalty,
    BadgeRequirement,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges.portable.definitions import PenaltyDef, RequirementDef, TemplateDef
from badges.portable.plan import OrganizationStep, Plan, TemplateStep, Verb
from badges.portable.stored import StoredTemplate
from credentials import bulk, files
from credentials.database import in_chunks
from credentials.models import BadgeTemplate, CredlyOrganization

Owner = RequirementDef | PenaltyDef
Keys = dict[tuple[UUID, str], int]  # (uuid of the template, id) -> key of the row

_ORGANIZATION_WRITTEN: Final = ("name", "api_key_env", "paused_reason")
_TEMPLATE_COPIED: Final = ("name", "description", "is_active", "reissue", "name_policy")
_TEMPLATE_WRITTEN: Final = (*_TEMPLATE_COPIED, "organization_id", "providers", "note", "modified")


@attrs.frozen
class _Kind:
    """What requirements and penalties do not share. `columns` are written beside the key."""

    owners: Any
    rules: Any
    link: str
    columns: tuple[str, ...]
    defined: Callable[[TemplateDef], Sequence[Owner]]
    rows: Callable[[StoredTemplate], Mapping[str, int]]


_REQUIREMENTS: Final = _Kind(
    owners=BadgeRequirement.objects,
    rules=DataRule,
    link="requirement_id",
    columns=("event_type", "description", "group", "count", "distinct_by", "within"),
    defined=lambda template: template.requirements,
    rows=lambda found: found.requirements,
)
_PENALTIES: Final = _Kind(
    owners=BadgePenalty.objects,
    rules=PenaltyDataRule,
    link="penalty_id",
    columns=("event_type", "description"),
    defined=lambda template: template.penalties,
    rows=lambda found: found.penalties,
)


@attrs.frozen
class _Link:
    """How requirements (`after`) or penalties (`resets`) name requirements. `owner` and `named`
    are the columns of the table between them; `names`: ids of owners -> ids they name.
    """

    table: Any
    owner: str
    named: str
    names: Callable[[TemplateDef], Mapping[str, tuple[str, ...]]]


_AFTER: Final = _Link(
    table=BadgeRequirement.after.through,
    owner="from_badgerequirement_id",
    named="to_badgerequirement_id",
    names=lambda template: {each.id: each.after for each in template.requirements},
)
_RESETS: Final = _Link(
    table=BadgePenalty.requirements.through,
    owner="badgepenalty_id",
    named="badgerequirement_id",
    names=lambda template: {each.id: each.resets for each in template.penalties},
)


@attrs.frozen
class _Change:
    """A template that is created or updated; its row is written already."""

    row: BadgeTemplate
    wanted: TemplateDef
    found: StoredTemplate | None


def apply(plan: Plan, *, now: datetime) -> list[tuple[str, EditEffect]]:
    """Requires the transaction in which the plan was made. Without changes it writes nothing.

    Returns what the change of active rules did to learners, by name of the template.
    """
    organizations = _write_organizations(plan.organizations)
    changes = _write_templates(plan.templates, organizations)
    requirements = _write_owners(changes, _REQUIREMENTS)
    penalties = _write_owners(changes, _PENALTIES)
    _write_links(changes, _AFTER, owners=requirements, requirements=requirements)
    _write_links(changes, _RESETS, owners=penalties, requirements=requirements)
    _write_groups(changes)
    pruned = [step.found.row for step in plan.templates if step.found and step.wanted is None]
    _delete(BadgeTemplate, pruned)
    files.discard(row.image for row in pruned)
    _delete(
        CredlyOrganization,
        [step.found.row for step in plan.organizations if step.found and step.wanted is None],
    )
    if all(step.verb is Verb.UNCHANGED for step in plan.templates):
        return []
    names = {each.row.pk: each.row.name for each in changes}
    effects = editing.definitions_changed(names, now=now)
    return [(names[template_id], effect) for template_id, effect in effects.items()]


def _write_organizations(steps: Iterable[OrganizationStep]) -> dict[UUID, CredlyOrganization]:
    """Returns those that exist or are created, by uuid."""
    rows: dict[UUID, CredlyOrganization] = {}
    fresh: list[CredlyOrganization] = []
    changed: list[CredlyOrganization] = []
    for step in steps:
        wanted, row = step.wanted, step.found.row if step.found else None
        if wanted is None:
            continue
        if row is None:
            row = CredlyOrganization(uuid=wanted.uuid)
            fresh.append(row)
        elif step.verb is Verb.UPDATE:
            changed.append(row)
        if row.api_key_env != wanted.api_key_env:
            row.paused_reason = ""  # another key: the account may be called again
        row.name, row.api_key_env = wanted.name, wanted.api_key_env
        rows[wanted.uuid] = row
    bulk.insert_objects(fresh, identity=("uuid",))
    bulk.update_objects(changed, _ORGANIZATION_WRITTEN)
    return rows


def _write_templates(
    steps: Iterable[TemplateStep], organizations: Mapping[UUID, CredlyOrganization]
) -> list[_Change]:
    written: list[_Change] = []
    fresh: list[BadgeTemplate] = []
    changed: list[BadgeTemplate] = []
    known = _known_organizations(steps, organizations)
    for step in steps:
        wanted, found = step.wanted, step.found
        if wanted is None or step.verb is Verb.UNCHANGED:
            continue
        row = found.row if found else BadgeTemplate(uuid=wanted.uuid)
        (changed if found else fresh).append(row)
        for field in _TEMPLATE_COPIED:
            setattr(row, field, getattr(wanted, field))
        row.providers = list(wanted.providers)
        row.organization = known[wanted.organization] if wanted.organization else None
        row.note = step.note
        written.append(_Change(row, wanted, found))
    bulk.insert_objects(fresh, identity=("uuid",))
    bulk.update_objects(changed, _TEMPLATE_WRITTEN)
    return written


def _known_organizations(
    steps: Iterable[TemplateStep], written: Mapping[UUID, CredlyOrganization]
) -> Mapping[UUID, CredlyOrganization]:
    """Those of the file and those that templates name without it. One query if there are such."""
    named = {step.wanted.organization for step in steps if step.wanted}
    missing = [uuid for uuid in named if uuid is not None and uuid not in written]
    if not missing:
        return written
    found = {each.uuid: each for each in CredlyOrganization.objects.filter(uuid__in=missing)}
    return {**written, **found}


def _write_owners(changes: Iterable[_Change], kind: _Kind) -> Keys:
    """Requirements or penalties with their rules; what has the same id keeps its row, and with it
    what learners fulfilled.
    """
    removed: list[int] = []
    pairs: list[tuple[UUID, Any, Owner | None, Owner]] = []  # template, row, before, now
    for each in changes:
        before = {old.id: old for old in kind.defined(each.found.definition)} if each.found else {}
        keys = kind.rows(each.found) if each.found else {}
        now = kind.defined(each.wanted)
        removed += [keys[id_] for id_ in before.keys() - {new.id for new in now}]
        for new in now:
            columns = {name: getattr(new, name) for name in kind.columns}
            row = kind.owners.model(
                pk=keys.get(new.id), template_id=each.row.pk, key=new.id, **columns
            )
            pairs.append((each.row.uuid, row, before.get(new.id), new))
    for chunk in in_chunks(removed):
        kind.owners.filter(pk__in=chunk).delete()
    fresh = [row for _, row, old, _ in pairs if old is None]
    bulk.insert_objects(fresh, identity=("template_id", "key"))
    differing = [row for _, row, old, new in pairs if old and _columns_differ(kind, old, new)]
    bulk.update_objects(differing, kind.columns)
    _write_rules([(row, old, new) for _, row, old, new in pairs], kind)
    return {(uuid, new.id): row.pk for uuid, row, _, new in pairs}


def _columns_differ(kind: _Kind, old: Owner, new: Owner) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in kind.columns)


def _write_rules(owners: Iterable[tuple[Any, Owner | None, Owner]], kind: _Kind) -> None:
    """Where they differ at all, the rules of an owner are replaced."""
    differing = [
        (row, old, new) for row, old, new in owners if old is None or old.rules != new.rules
    ]
    for chunk in in_chunks([row.pk for row, old, _ in differing if old and old.rules]):
        kind.rules.objects.filter(**{f"{kind.link}__in": chunk}).delete()
    kind.rules.objects.bulk_create(
        kind.rules(path=rule.path, operator=rule.operator, value=rule.value, **{kind.link: row.pk})
        for row, _, new in differing
        for rule in new.rules
    )


def _write_links(
    changes: Iterable[_Change], link: _Link, *, owners: Keys, requirements: Keys
) -> None:
    """Where they differ at all, the links of an owner are replaced."""
    emptied: list[int] = []
    fresh: list[Any] = []
    for each in changes:
        uuid = each.row.uuid
        before = link.names(each.found.definition) if each.found else {}
        for owner, named in link.names(each.wanted).items():
            if before.get(owner, ()) == named:
                continue
            key = owners[uuid, owner]
            if owner in before:
                emptied.append(key)
            fresh += [
                link.table(**{link.owner: key, link.named: requirements[uuid, id_]})
                for id_ in named
            ]
    for chunk in in_chunks(emptied):
        link.table.objects.filter(**{f"{link.owner}__in": chunk}).delete()
    link.table.objects.bulk_create(fresh)


def _write_groups(changes: Sequence[_Change]) -> None:
    """Those of an updated template are replaced, also when no group differs: a row that demands
    one is as good as none, but must not outlive the requirements of its label.
    """
    for chunk in in_chunks([each.row.pk for each in changes if each.found]):
        RequirementGroup.objects.filter(template_id__in=chunk).delete()
    RequirementGroup.objects.bulk_create(
        RequirementGroup(template_id=each.row.pk, label=label, required=required)
        for each in changes
        for label, required in each.wanted.groups
    )


def _delete(model: Any, rows: Iterable[Any]) -> None:
    for chunk in in_chunks([each.pk for each in rows]):
        model.objects.filter(pk__in=chunk).delete()
