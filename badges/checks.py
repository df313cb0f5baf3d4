"""System checks of the badges app: stored rules that fit the installed events no more."""

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 -- Django's name
from django.db import DatabaseError

from badges.definitions import owner_faults


@register(Tags.models)
def stored_rules_fit(**_kwargs: Any) -> list[CheckMessage]:
    """Reported, never fatal: a rule that fits no more is disabled for matching and the others go
    on, so the consumer must be able to start.
    """
    from badges.models import BadgePenalty, BadgeRequirement

    found: list[CheckMessage] = []
    try:
        for model in (BadgeRequirement, BadgePenalty):
            rows = model.objects.filter(template__is_active=True).prefetch_related("rules")
            for owner in rows.select_related("template"):
                found += [
                    Warning(
                        f"{owner.template.name} / {owner.key} is disabled: {fault}",
                        hint="Mend the rule in admin, or by importing the template again.",
                        obj=owner,
                        id="badges.W001",
                    )
                    for fault in owner_faults(owner)
                ]
    except DatabaseError:
        return []  # not migrated yet
    return found
