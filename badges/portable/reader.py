"""From the text of a file to a Document, or to everything that is wrong with it."""

from collections.abc import Callable, Collection
from collections.abc import Mapping as Table
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.validators import RegexValidator
from django.db.models import CharField

from badges.definitions import (
    FOREIGN_RESET,
    NO_REQUIREMENTS,
    NO_RESETS,
    Shape,
    event_type_fault,
    requirement_type_fault,
    rule_fault,
    shape_faults,
)
from badges.models import BadgePenalty, BadgeRequirement
from badges.portable import preset
from badges.portable.chains import Chains
from badges.portable.cursor import Found, Keys, Notes, column, read_id, rule_value
from badges.portable.definitions import (
    CREDLY,
    VERSION,
    Document,
    Faults,
    OrganizationDef,
    PenaltyDef,
    RequirementDef,
    RuleDef,
    TemplateDef,
)
from badges.portable.tree import Mapping, Scalar, Sequence, parse
from badges.rules.conditions import DataRule
from badges.rules.operators import OPERATORS, Takes
from credentials.models import BadgeTemplate, CredlyOrganization

_VARIABLE: Final = CharField(
    max_length=100,
    blank=True,
    validators=[
        RegexValidator(
            r"\A[A-Za-z_][A-Za-z0-9_]*\Z",
            "must be the name of an environment variable, not a key itself",
        )
    ],
)
_REQUIREMENT_KEYS: Final = (
    "id",
    "event_type",
    "group",
    "description",
    "count",
    "distinct_by",
    "within",
    "after",
    "rules",
)
_TEMPLATE_KEYS: Final = (
    "uuid",
    "name",
    "description",
    "organization",
    "providers",
    "is_active",
    "reissue",
    "name_policy",
    "groups",
    "requirements",
    "penalties",
)


def read(
    text: str,
    *,
    organizations: Collection[UUID] = (),
    needs: Table[UUID, Collection[UUID]] | None = None,
) -> Document | Faults:
    """`organizations` are those that a template may name besides those of the file, `needs` says
    which badges each active template of the database needs.

    No database is read and nothing is raised. All faults are found in one pass; broken syntax
    hides the others.
    """
    parsed = parse(text)
    if isinstance(parsed, Faults):
        return parsed
    root, faults = parsed
    notes = Notes()
    notes.faults += faults
    reader = _Reader(notes, organizations)
    document = reader.document(Found(root, ""))
    for place, message in reader.chains.faults(needs or {}):
        notes.add(place, message)
    if notes.faults:
        return Faults(tuple(sorted(notes.faults, key=lambda each: (each.line, each.path))))
    return document


class _Reader:
    def __init__(self, notes: Notes, organizations: Collection[UUID]) -> None:
        self._notes = notes
        self._organizations = set(organizations)
        self.chains = Chains()

    def document(self, at: Found) -> Document:
        keys = Keys(at, known=("version", "organizations", "templates"), notes=self._notes)
        version = keys.demand("version", hint=f"write version: {VERSION}")
        if version is not None:
            self._refuse_other_version(version)
        organizations = [self._organization(each) for each in keys.items("organizations")]
        keys.refuse_repeated("organizations", by="uuid")
        self._organizations |= {each.uuid for each in organizations}
        # Required, so that a file that was cut off does not look like "no templates" to --prune.
        templates = [self._template(each) for each in keys.items("templates", required=True)]
        keys.refuse_repeated("templates", by="uuid")
        return Document(tuple(organizations), tuple(templates))

    def _refuse_other_version(self, found: Found) -> None:
        node = found.node
        if not (isinstance(node, Scalar) and node.kind == "int" and node.text == str(VERSION)):
            self._notes.add(found, f"must be {VERSION}, the only version that is read")

    def _organization(self, at: Found) -> OrganizationDef:
        keys = Keys(at, known=("uuid", "provider", "name", "api_key_env"), notes=self._notes)
        return OrganizationDef(
            uuid=_certain(keys.uuid("uuid", required=True)),
            provider=keys.choice("provider", choices=(CREDLY,)),
            name=keys.text("name", column=column(CredlyOrganization, "name"), required=True),
            api_key_env=keys.text("api_key_env", column=_VARIABLE),
        )

    def _template(self, at: Found) -> TemplateDef:
        keys = Keys(at, known=_TEMPLATE_KEYS, notes=self._notes)
        providers = self._providers(keys)
        is_active = keys.boolean("is_active", hint="write is_active: true or is_active: false")
        requirements, groups = self._requirements(keys)
        made = preset.penalties(keys.items("requirements"))
        if is_active and not requirements and _is_list(keys.find("requirements")):
            keys.note("requirements", NO_REQUIREMENTS)
        ids = {each.id for each in requirements}
        penalties = [self._penalty(each, ids) for each in keys.items("penalties")]
        keys.refuse_repeated("penalties", by="id")
        for each in {each.id for each in penalties} & {each.id for each in made}:
            keys.note("penalties", f"{each!r} is the id of a penalty that a preset makes")
        penalties += made
        uuid = _certain(keys.uuid("uuid", required=True))
        self.chains.close(uuid, is_active=is_active)
        return TemplateDef(
            uuid=uuid,
            name=keys.text("name", column=column(BadgeTemplate, "name"), required=True),
            description=keys.text("description"),
            organization=self._organization_of(keys, providers),
            providers=providers,
            is_active=is_active,
            reissue=keys.choice(
                "reissue",
                choices=BadgeTemplate.Reissue.values,
                default=BadgeTemplate.Reissue.NEVER.value,
            ),
            name_policy=keys.choice(
                "name_policy",
                choices=BadgeTemplate.NamePolicy.values,
                default=BadgeTemplate.NamePolicy.VERIFIED_IF_AVAILABLE.value,
            ),
            requirements=tuple(sorted(requirements, key=lambda each: each.id)),
            penalties=tuple(sorted(penalties, key=lambda each: each.id)),
            groups=tuple(
                (label, required) for label, required in sorted(groups.items()) if required != 1
            ),
        )

    def _providers(self, keys: Keys) -> tuple[str, ...]:
        found = keys.texts("providers", required=True)
        for at, name in found:
            if name not in settings.PROVIDERS:
                choices = ", ".join(settings.PROVIDERS)
                self._notes.add(at, f"{name!r} is not configured; choose one of: {choices}")
        return tuple(name for _, name in found)

    def _organization_of(self, keys: Keys, providers: tuple[str, ...]) -> UUID | None:
        uuid = keys.uuid("organization", required=False)
        if uuid is None:
            if CREDLY in providers:
                keys.note("organization", "missing; the provider credly needs one")
        elif uuid.int and uuid not in self._organizations:
            keys.note("organization", f"{uuid} is neither in this file nor in the database")
        return uuid

    def _requirements(self, keys: Keys) -> tuple[list[RequirementDef], dict[str, int]]:
        """The requirements, and how many are demanded of the groups that say so; judged together,
        because they speak of each other.
        """
        found = [self._requirement(each) for each in keys.items("requirements")]
        keys.refuse_repeated("requirements", by="id")
        groups = self._groups(keys)
        requirements = [definition for _, definition in found]
        inside = {definition.id: at for at, definition in reversed(found)}
        required = {label: each.integer("required", default=1) for label, each in groups.items()}
        for fault in shape_faults([*map(_shape, requirements)], groups=required):
            place = groups if fault.field == "required" else inside
            place[fault.key].note(fault.field, fault.message)
        return requirements, required

    def _groups(self, keys: Keys) -> dict[str, Keys]:
        """What stands below each label."""
        at = keys.find("groups")
        if at is None:
            return {}
        if not isinstance(at.node, Mapping):
            self._notes.add(at, "must be a mapping of labels, for example {A: {required: 2}}")
            return {}
        return {
            label: Keys(Found(node, f"{at.path}.{label}"), known=("required",), notes=self._notes)
            for label, node in at.node.items.items()
        }

    def _requirement(self, at: Found) -> tuple[Keys, RequirementDef]:
        if preset.is_one(at):
            return preset.requirement(at, self._notes)
        keys = Keys(at, known=_REQUIREMENT_KEYS, notes=self._notes)
        return keys, RequirementDef(
            id=read_id(keys, BadgeRequirement),
            event_type=(event_type := self._event_type(keys, requirement_type_fault)),
            group=keys.text("group", column=column(BadgeRequirement, "group")),
            description=keys.text("description", column=column(BadgeRequirement, "description")),
            count=keys.integer("count", default=1),
            distinct_by=keys.text("distinct_by", column=column(BadgeRequirement, "distinct_by")),
            within=keys.text("within", column=column(BadgeRequirement, "within")),
            after=tuple(sorted(key for _, key in keys.texts("after"))),
            rules=self._rules(keys, event_type),
        )

    def _penalty(self, at: Found, requirements: set[str]) -> PenaltyDef:
        known = ("id", "event_type", "resets", "description", "rules")
        keys = Keys(at, known=known, notes=self._notes)
        resets = keys.texts("resets")
        if not resets and _is_list(keys.find("resets")):
            keys.note("resets", NO_RESETS)
        for each, key in resets:
            if key not in requirements:
                self._notes.add(each, f"{key!r} is unknown. {FOREIGN_RESET}")
        return PenaltyDef(
            id=read_id(keys, BadgePenalty),
            event_type=(event_type := self._event_type(keys, event_type_fault)),
            resets=tuple(sorted(key for _, key in resets)),
            description=keys.text("description", column=column(BadgePenalty, "description")),
            rules=self._rules(keys, event_type),
        )

    def _event_type(self, keys: Keys, fault_of: Callable[[str], str | None]) -> str:
        """Empty when it cannot be used: then its rules cannot be judged."""
        text = keys.text("event_type", required=True)
        fault = fault_of(text) if text else None
        if fault is None:
            return text
        keys.note("event_type", fault)
        return ""

    def _rules(self, keys: Keys, event_type: str) -> tuple[RuleDef, ...]:
        return tuple(self._rule(each, event_type) for each in keys.items("rules"))

    def _rule(self, at: Found, event_type: str) -> RuleDef:
        before = len(self._notes.faults)
        keys = Keys(at, known=("path", "operator", "value"), notes=self._notes)
        path = keys.text("path", required=True)
        operator = keys.text("operator", required=True)
        known = OPERATORS.get(operator)
        found = keys.find("value")
        if found is None and known is not None and known.takes is not Takes.NOTHING:
            keys.demand("value", hint="write it in quotes, an empty text as ''")
        value = ""
        if found is not None:
            is_list = known is None or known.takes is Takes.LIST
            value = rule_value(found, self._notes, is_list=is_list) or ""
        # A rule that could not be read whole would only be blamed twice.
        if event_type and len(self._notes.faults) == before:
            fault = rule_fault(event_type, DataRule(path, operator, value))
            if fault is not None:
                keys.note(fault.field, fault.message)
            if known is None and fault is not None and fault.field != "operator":
                keys.note("operator", f"{operator!r} is unknown; use {', '.join(OPERATORS)}")
            if fault is None and found is not None:
                self.chains.add(event_type, RuleDef(path, operator, value), found)
        return RuleDef(path, operator, value)


def _shape(each: RequirementDef) -> Shape:
    return Shape(
        key=each.id,
        event_type=each.event_type,
        group=each.group,
        count=each.count,
        distinct_by=each.distinct_by,
        within=each.within,
        after=each.after,
    )


def _is_list(found: Found | None) -> bool:
    """Absent counts as an empty list."""
    return found is None or isinstance(found.node, Sequence)


def _certain(uuid: UUID | None) -> UUID:
    """A required uuid: never None, see Keys.uuid."""
    return uuid or UUID(int=0)
