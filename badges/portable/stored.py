"""What the database says, in the same values as a file. A constant number of queries, cut only by
the database's parameter limit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import attrs

from badges.models import (
    BadgePenalty,
    BadgeRequirement,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges.portable.definitions import (
    CREDLY,
    OrganizationDef,
    PenaltyDef,
    RequirementDef,
    RuleDef,
    TemplateDef,
)
from credentials.database import in_chunks
from credentials.models import BadgeTemplate, CredlyOrganization


@attrs.frozen
class StoredTemplate:
    """A template's definition, and the rows it is in: those of requirements and penalties by id."""

    row: BadgeTemplate
    definition: TemplateDef
    requirements: Mapping[str, int]
    penalties: Mapping[str, int]


@attrs.frozen
class StoredOrganization:
    row: CredlyOrganization
    definition: OrganizationDef


def organization_uuids() -> frozenset[UUID]:
    return frozenset(CredlyOrganization.objects.values_list("uuid", flat=True))


def organizations() -> dict[UUID, StoredOrganization]:
    """All of them, by uuid. One query."""
    return {
        row.uuid: StoredOrganization(
            row=row,
            definition=OrganizationDef(
                uuid=row.uuid, provider=CREDLY, name=row.name, api_key_env=row.api_key_env
            ),
        )
        for row in CredlyOrganization.objects.order_by("uuid")
    }


def templates(uuids: Collection[UUID] | None = None) -> dict[UUID, StoredTemplate]:
    """Those of `uuids`, or all of them, by uuid in its order. Eight queries."""
    if uuids is None:
        return _load({})
    found: dict[UUID, StoredTemplate] = {}
    for chunk in in_chunks(sorted(uuids)):
        found |= _load({"uuid__in": chunk})
    return found


def with_credentials() -> frozenset[int]:
    """Keys of the templates that were ever awarded. One query."""
    awarded = BadgeTemplate.objects.filter(credentials__isnull=False)
    return frozenset(awarded.values_list("pk", flat=True).distinct())


def _load(scope: Mapping[str, Any]) -> dict[UUID, StoredTemplate]:
    """`scope` says which templates, in the words of a filter."""
    inside = _seen_from("template", scope)
    requirements_of = _by_template(BadgeRequirement.objects.filter(**inside))
    penalties_of = _by_template(BadgePenalty.objects.filter(**inside))
    requirement_rules = _rules(DataRule, "requirement", inside)
    penalty_rules = _rules(PenaltyDataRule, "penalty", inside)
    after, resets = _after(inside), _resets(inside)
    groups = _groups(inside)
    rows = BadgeTemplate.objects.filter(**scope).select_related("organization").order_by("uuid")
    found: dict[UUID, StoredTemplate] = {}
    for row in rows:
        own, undone = requirements_of.get(row.pk, []), penalties_of.get(row.pk, [])
        found[row.uuid] = StoredTemplate(
            row=row,
            definition=TemplateDef(
                uuid=row.uuid,
                name=row.name,
                description=row.description,
                organization=row.organization.uuid if row.organization else None,
                providers=tuple(row.providers),
                is_active=row.is_active,
                reissue=row.reissue,
                name_policy=row.name_policy,
                requirements=tuple(
                    RequirementDef(
                        id=each.key,
                        event_type=each.event_type,
                        group=each.group,
                        description=each.description,
                        count=each.count,
                        distinct_by=each.distinct_by,
                        within=each.within,
                        after=tuple(sorted(after[each.pk])),
                        rules=tuple(requirement_rules[each.pk]),
                    )
                    for each in own
                ),
                penalties=tuple(
                    PenaltyDef(
                        id=each.key,
                        event_type=each.event_type,
                        resets=tuple(sorted(resets[each.pk])),
                        description=each.description,
                        rules=tuple(penalty_rules[each.pk]),
                    )
                    for each in undone
                ),
                groups=tuple(sorted(groups[row.pk])),
            ),
            requirements={each.key: each.pk for each in own},
            penalties={each.key: each.pk for each in undone},
        )
    return found


def _seen_from(owner: str, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The same scope for the rows that belong to an `owner`."""
    return {f"{owner}__{lookup}": value for lookup, value in scope.items()}


def _rules(model: Any, owner: str, inside: Mapping[str, Any]) -> dict[int, list[RuleDef]]:
    """Rules by the key of their owner, in the order in which they are evaluated."""
    found: dict[int, list[RuleDef]] = defaultdict(list)
    rows = model.objects.filter(**_seen_from(owner, inside)).order_by("id")
    for owner_id, path, operator, value in rows.values_list(
        f"{owner}_id", "path", "operator", "value"
    ):
        found[owner_id].append(RuleDef(path, operator, value))
    return found


def _groups(inside: Mapping[str, Any]) -> dict[int, list[tuple[str, int]]]:
    """Label and how many of it, by the key of the template."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    rows = RequirementGroup.objects.filter(**inside).exclude(required=1)
    for template_id, label, required in rows.values_list("template_id", "label", "required"):
        found[template_id].append((label, required))
    return found


def _after(inside: Mapping[str, Any]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    links = BadgeRequirement.after.through.objects.filter(
        **_seen_from("from_badgerequirement", inside)
    )
    for key, other in links.values_list("from_badgerequirement_id", "to_badgerequirement__key"):
        found[key].append(other)
    return found


def _resets(inside: Mapping[str, Any]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    links = BadgePenalty.requirements.through.objects.filter(**_seen_from("badgepenalty", inside))
    for penalty_id, key in links.values_list("badgepenalty_id", "badgerequirement__key"):
        found[penalty_id].append(key)
    return found


def _by_template(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """Rows by the key of their template, in the order of their ids (not of a collation)."""
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda each: each.key):
        grouped[row.template_id].append(row)
    return grouped
