"""Carrying a plan out, with bulk statements: the same number for one template and for thousands,
cut only by the database's parameter limit.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from badges.models import BadgePenalty, BadgeRequirement, DataRule, PenaltyDataRule
from badges.portable.definitions import (
    OrganizationDef,
    PenaltyDef,
    RequirementDef,
    TemplateDef,
)
from badges.portable.plan import OrganizationStep, Plan, TemplateStep, Verb
from badges.portable.stored import StoredTemplate
from credentials.database import in_chunks
from credentials.models import BadgeTemplate, CredlyOrganization, DefinitionsVersion

_ORGANIZATION_FIELDS = ("name", "api_key_env", "paused_reason")
_TEMPLATE_FIELDS = (
    "name",
    "description",
    "organization",
    "providers",
    "is_active",
    "reissue",
    "name_policy",
    "note",
    "modified",
)


def apply(plan: Plan) -> None:
    """Requires the transaction in which the plan was made. A plan without changes writes nothing."""
    organizations = _write_organizations(plan.organizations)
    steps = [step for step in plan.templates if step.verb in {Verb.CREATE, Verb.UPDATE}]
    rows = _write_templates(steps, organizations)
    requirements = _write_owners(steps, rows, _REQUIREMENTS)
    penalties = _write_owners(steps, rows, _PENALTIES)
    _write_resets(steps, rows, requirements=requirements, penalties=penalties)
    _delete_templates(plan.templates)
    _delete_organizations(plan.organizations)
    if any(step.verb is not Verb.UNCHANGED for step in plan.templates):
        DefinitionsVersion.bump()
