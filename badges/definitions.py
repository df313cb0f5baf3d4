"""What makes requirements, penalties and rules sound: one place for the import, the admin and
`manage.py check`.
"""

from collections.abc import Sequence
from typing import Final

from badges.models import BadgePenalty, BadgeRequirement
from badges.rules.conditions import DataRule, RuleRefusedError, compile_rule
from credentials.models import BadgeTemplate
from events.registry import subscriptions

NO_REQUIREMENTS: Final = (
    "A template without requirements cannot be active: nobody could ever earn it."
)
NO_RESETS: Final = "A penalty must reset at least one requirement of its template."
FOREIGN_RESET: Final = "A penalty can only reset requirements of its own template."


def event_type_fault(event_type: str) -> str | None:
    """Why `event_type` cannot be used, in words; None when it can."""
    known = subscriptions()
    if event_type in known:
        return None
    return f"{event_type!r} is not configured; choose one of: {', '.join(sorted(known))}"


def rule_fault(event_type: str, rule: DataRule) -> RuleRefusedError | None:
    """Why the rule cannot work on that (configured) event type; None when it can."""
    try:
        compile_rule(rule, payload_type=subscriptions()[event_type].payload_type)
    except RuleRefusedError as error:
        return error
    return None


def stored_faults(template: BadgeTemplate) -> list[str]:
    """Everything that speaks against activating a stored template, in words. Six queries."""
    requirements: Sequence[BadgeRequirement] = list(template.requirements.prefetch_related("rules"))
    penalties: Sequence[BadgePenalty] = list(
        template.penalties.prefetch_related("rules", "requirements")
    )
    found = [] if requirements else [NO_REQUIREMENTS]
    owners: list[BadgeRequirement | BadgePenalty] = [*requirements, *penalties]
    for owner in owners:
        found += [f"{owner.key}: {message}" for message in owner_faults(owner)]
    for penalty in penalties:
        resets = list(penalty.requirements.all())
        if not resets:
            found.append(f"{penalty.key}: {NO_RESETS}")
        if any(each.template_id != template.pk for each in resets):
            found.append(f"{penalty.key}: {FOREIGN_RESET}")
    return found


def owner_faults(owner: BadgeRequirement | BadgePenalty) -> list[str]:
    """Faults of the event type and the rules of one requirement or penalty, in words."""
    unknown = event_type_fault(owner.event_type)
    if unknown is not None:
        return [f"event_type: {unknown}"]
    faults = (
        rule_fault(owner.event_type, DataRule(rule.path, rule.operator, rule.value))
        for rule in owner.rules.all()
    )
    return [f"{fault.field}: {fault.message}" for fault in faults if fault is not None]
