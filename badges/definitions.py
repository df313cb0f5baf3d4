"""What makes requirements, penalties and rules sound: one place for the import, the admin and
`manage.py check`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

import attrs

from badges.models import BadgePenalty, BadgeRequirement
from badges.rules.conditions import DataRule, RuleRefusedError, compile_rule, compile_value
from badges.rules.evidence import MAX_COUNT
from badges.rules.values import ValueRefusedError, parse_duration
from credentials.models import BadgeTemplate
from events.registry import subscriptions

NO_REQUIREMENTS: Final = (
    "A template without requirements cannot be active: nobody could ever earn it."
)
NO_RESETS: Final = "A penalty must reset at least one requirement of its template."
FOREIGN_RESET: Final = "A penalty can only reset requirements of its own template."


@attrs.frozen
class Shape:
    """What one requirement demands beside its data rules. `after`: keys of requirements."""

    key: str
    event_type: str
    group: str = ""
    count: int = 1
    distinct_by: str = ""
    within: str = ""
    after: tuple[str, ...] = ()


@attrs.frozen
class ShapeFault:
    """`key` is the requirement, or the label of a group when `field` is required."""

    key: str
    field: str
    message: str


def shape_faults(shapes: Sequence[Shape], *, groups: Mapping[str, int]) -> list[ShapeFault]:
    """Everything that is wrong with repetition, order and groups of one template. `groups`: label
    -> how many of it, for the labels that say so.
    """
    faults = [fault for shape in shapes for fault in _repetition_faults(shape)]
    faults += _order_faults(shapes)
    sizes = Counter(shape.group for shape in shapes if shape.group)
    for label, required in groups.items():
        if label not in sizes:
            faults.append(
                ShapeFault(label, "required", "no requirement of this template has this group")
            )
        elif not 1 <= required <= sizes[label]:
            faults.append(
                ShapeFault(
                    label,
                    "required",
                    f"{required} is not possible: the group has {sizes[label]} requirements; "
                    f"write 1 to {sizes[label]}",
                )
            )
    return faults


def _repetition_faults(shape: Shape) -> Iterator[ShapeFault]:
    if not 1 <= shape.count <= MAX_COUNT:
        yield ShapeFault(shape.key, "count", f"{shape.count} is not between 1 and {MAX_COUNT}")
    if shape.within:
        try:
            parse_duration(shape.within)
        except ValueRefusedError as error:
            yield ShapeFault(shape.key, "within", str(error))
    subscription = subscriptions().get(shape.event_type)
    if shape.distinct_by and subscription is not None:
        try:
            compile_value(shape.distinct_by, payload_type=subscription.payload_type)
        except RuleRefusedError as error:
            yield ShapeFault(shape.key, "distinct_by", error.message)


def _order_faults(shapes: Iterable[Shape]) -> Iterator[ShapeFault]:
    waits = {shape.key: shape.after for shape in shapes}
    for key, after in waits.items():
        for other in after:
            if other not in waits:
                message = f"{other!r} is no requirement of this template"
                yield ShapeFault(key, "after", message)
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = error.args[1]
        yield ShapeFault(circle[0], "after", f"goes in a circle: {' after '.join(circle)}")


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
    """Everything that speaks against activating a stored template, in words. Eight queries."""
    requirements: Sequence[BadgeRequirement] = list(
        template.requirements.prefetch_related("rules", "after")
    )
    penalties: Sequence[BadgePenalty] = list(
        template.penalties.prefetch_related("rules", "requirements")
    )
    found = [] if requirements else [NO_REQUIREMENTS]
    owners: list[BadgeRequirement | BadgePenalty] = [*requirements, *penalties]
    for owner in owners:
        found += [f"{owner.key}: {message}" for message in owner_faults(owner)]
    groups = dict(template.groups.values_list("label", "required"))
    found += [
        f"{fault.key}: {fault.field}: {fault.message}"
        for fault in shape_faults([stored_shape(each) for each in requirements], groups=groups)
    ]
    for penalty in penalties:
        resets = list(penalty.requirements.all())
        if not resets:
            found.append(f"{penalty.key}: {NO_RESETS}")
        if any(each.template_id != template.pk for each in resets):
            found.append(f"{penalty.key}: {FOREIGN_RESET}")
    return found


def stored_shape(requirement: BadgeRequirement) -> Shape:
    """Costs a query where `after` was not prefetched."""
    return Shape(
        key=requirement.key,
        event_type=requirement.event_type,
        group=requirement.group,
        count=requirement.count,
        distinct_by=requirement.distinct_by,
        within=requirement.within,
        after=tuple(sorted(each.key for each in requirement.after.all())),
    )


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
