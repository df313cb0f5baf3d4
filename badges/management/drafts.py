"""A template to be tried: one of the database, or a draft in a file that nobody has saved."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import attrs
from django.core.management.base import CommandError

from badges import rulebook
from badges.management.choosing import find_template
from badges.management.files import read_document
from badges.portable.definitions import PenaltyDef, RequirementDef, TemplateDef
from badges.rules.book import Template
from credentials.models import BadgeTemplate


@attrs.frozen
class Draft:
    """`former`: the rules under which learners of the template progressed so far."""

    name: str
    rules: Template
    former: Template | None


def stored_draft(uuid: UUID) -> Draft:
    """Raises CommandError."""
    row = find_template(uuid)
    return Draft(row.name, rulebook.compile_one(row), rulebook.newest_version(row.pk))


def file_draft(name: str, uuid: UUID | None) -> Draft:
    """The one template of the file, or that of `uuid` in it. Raises CommandError."""
    templates = read_document(name).templates
    chosen = [each for each in templates if uuid is None or each.uuid == uuid]
    if len(chosen) != 1:
        wanted = f"no template {uuid}" if uuid else f"{len(templates)} templates"
        names = ", ".join(str(each.uuid) for each in templates)
        raise CommandError(f"{name} has {wanted}; choose one with --template: {names or 'none'}")
    (definition,) = chosen
    row = BadgeTemplate.objects.filter(uuid=definition.uuid).first()
    rules = rulebook.compile_snapshot(
        _snapshot(definition),
        template_id=row.pk if row else 0,
        version=0,
        reissue_allowed=definition.reissue == BadgeTemplate.Reissue.ALLOWED,
    )
    return Draft(definition.name, rules, rulebook.newest_version(row.pk) if row else None)


def _snapshot(definition: TemplateDef) -> Mapping[str, Any]:
    """As badges.rulebook.snapshots writes it."""
    return {
        "groups": dict(definition.groups),
        "requirements": [
            {
                "key": each.id,
                "event_type": each.event_type,
                "group": each.group,
                "count": each.count,
                "distinct_by": each.distinct_by,
                "within": each.within,
                "after": list(each.after),
                "rules": _rules(each),
            }
            for each in definition.requirements
        ],
        "penalties": [
            {
                "key": each.id,
                "event_type": each.event_type,
                "resets": list(each.resets),
                "rules": _rules(each),
            }
            for each in definition.penalties
        ],
    }


def _rules(owner: RequirementDef | PenaltyDef) -> list[list[str]]:
    return [[each.path, each.operator, each.value] for each in owner.rules]
