"""What an import would do: one step per organization and template."""

from collections.abc import Iterator
from enum import Enum
from typing import Final
from uuid import UUID

import attrs

from badges.portable import stored
from badges.portable.definitions import Document, OrganizationDef, TemplateDef
from badges.portable.stored import StoredOrganization, StoredTemplate


class Verb(Enum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DELETE = "delete"


@attrs.frozen
class OrganizationStep:
    """`wanted` is None for a deletion, `found` for a creation."""

    verb: Verb
    wanted: OrganizationDef | None
    found: StoredOrganization | None
    remark: str = ""

    def __str__(self) -> str:
        definition = self.found.definition if self.found else None
        return _line(self.verb, "organization", self.wanted or definition, self.remark)


@attrs.frozen
class TemplateStep:
    """`wanted` is None for a deletion, `found` for a creation. `note` is kept with the row."""

    verb: Verb
    wanted: TemplateDef | None
    found: StoredTemplate | None
    remark: str = ""
    note: str = ""

    def __str__(self) -> str:
        definition = self.found.definition if self.found else None
        return _line(self.verb, "template", self.wanted or definition, self.remark)


@attrs.frozen
class Plan:
    organizations: tuple[OrganizationStep, ...]
    templates: tuple[TemplateStep, ...]

    @property
    def steps(self) -> tuple[OrganizationStep | TemplateStep, ...]:
        return (*self.organizations, *self.templates)

    def count(self, verb: Verb) -> int:
        return sum(step.verb is verb for step in self.steps)


_PRUNED: Final = "Deactivated by an import with --prune: the file does not name this template."


def plan(document: Document, *, prune: bool = False) -> Plan:
    """Compare with the database. Eleven queries at most, and nothing is written.

    `prune` removes what the document does not name: templates that have credentials are only
    deactivated, organizations stay as long as a template that stays belongs to them.
    """
    wanted = {each.uuid: each for each in document.templates}
    found = stored.templates(None if prune else wanted.keys())
    templates = [_template_step(each, found.get(each.uuid)) for each in document.templates]
    if prune:
        awarded = stored.with_credentials()
        templates += [
            _prune(each, has_credentials=each.row.pk in awarded)
            for uuid, each in found.items()
            if uuid not in wanted
        ]
    return Plan(
        organizations=tuple(_organization_steps(document, templates, prune=prune)),
        templates=tuple(templates),
    )


def _template_step(wanted: TemplateDef, found: StoredTemplate | None) -> TemplateStep:
    if found is None:
        return TemplateStep(Verb.CREATE, wanted, None, "" if wanted.is_active else "not active")
    if found.row.provider_state:  # Credly told us of it, and decides on what it tells
        told = found.definition
        wanted = attrs.evolve(wanted, name=told.name, description=told.description)
    changed = _changed(wanted, found.definition)
    if not changed:
        return TemplateStep(Verb.UNCHANGED, wanted, found)
    revived = wanted.is_active and not found.row.is_active
    # The note says why the service deactivated it; that is over.
    note = "" if revived else found.row.note
    return TemplateStep(Verb.UPDATE, wanted, found, ", ".join(changed), note)


def _prune(found: StoredTemplate, *, has_credentials: bool) -> TemplateStep:
    if not has_credentials:
        return TemplateStep(Verb.DELETE, None, found)
    definition = found.definition
    if not definition.is_active:
        remark = "not in the file; kept, because it has credentials"
        return TemplateStep(Verb.UNCHANGED, definition, found, remark)
    return TemplateStep(
        Verb.UPDATE,
        attrs.evolve(definition, is_active=False),
        found,
        "not in the file; deactivated, not deleted, because it has credentials",
        _PRUNED,
    )


def _organization_steps(
    document: Document, templates: list[TemplateStep], *, prune: bool
) -> Iterator[OrganizationStep]:
    found = stored.organizations()
    named: set[UUID] = set()
    for wanted in document.organizations:
        named.add(wanted.uuid)
        known = found.get(wanted.uuid)
        if known is None:
            yield OrganizationStep(Verb.CREATE, wanted, None)
        elif changed := _changed(wanted, known.definition):
            yield OrganizationStep(Verb.UPDATE, wanted, known, ", ".join(changed))
        else:
            yield OrganizationStep(Verb.UNCHANGED, wanted, known)
    if prune:
        used = {step.wanted.organization for step in templates if step.wanted is not None}
        for uuid, known in found.items():
            if uuid in named:
                continue
            if uuid in used:
                remark = "not in the file; kept, because templates belong to it"
                yield OrganizationStep(Verb.UNCHANGED, known.definition, known, remark)
            else:
                yield OrganizationStep(Verb.DELETE, None, known)


def _changed(
    wanted: OrganizationDef | TemplateDef, found: OrganizationDef | TemplateDef
) -> list[str]:
    """Names of the fields that differ."""
    names = [field.name for field in attrs.fields(type(wanted))]
    return [name for name in names if getattr(wanted, name) != getattr(found, name)]


def _line(
    verb: Verb, kind: str, definition: OrganizationDef | TemplateDef | None, remark: str
) -> str:
    uuid, name = (definition.uuid, " ".join(definition.name.split())) if definition else ("", "")
    words = f"{verb.value:<9} {kind:<12} {uuid} {name}".rstrip()
    return f"{words} ({remark})" if remark else words
