"""What makes requirements, penalties and rules sound: one place for the import, the admin and
`manage.py check`.
"""

import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final, Protocol
from uuid import UUID

import attrs

from badges.models import BadgePenalty, BadgeRequirement, DataRule, PenaltyDataRule
from badges.rules.conditions import DataRule as WrittenRule
from badges.rules.conditions import RuleRefusedError, compile_rule, compile_value
from badges.rules.evidence import MAX_COUNT
from badges.rules.values import ValueRefusedError, parse_duration, split_list
from credentials.models import BadgeTemplate
from events.registry import subscriptions

NO_REQUIREMENTS: Final = (
    "A template without requirements cannot be active: nobody could ever earn it."
)
NO_RESETS: Final = "A penalty must reset at least one requirement of its template."
FOREIGN_RESET: Final = "A penalty can only reset requirements of its own template."
ERRORED_FULFILS: Final = (
    "An exam attempt that errored fulfils nothing: choose another event, or make it a penalty."
)
BADGE_EVENTS: Final = frozenset(
    {"org.openedx.learning.badge.awarded.v1", "org.openedx.learning.badge.revoked.v1"}
)
BADGE_PATH: Final = "template.uuid"
_ERRORED: Final = "org.openedx.learning.exam.attempt.errored.v1"
# As our own events write it; any other spelling matches none of them.
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Rule(Protocol):
    """A data rule, in a row or in a file."""

    @property
    def path(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def value(self) -> str: ...


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


def requirement_type_fault(event_type: str) -> str | None:
    """Why a requirement cannot wait for `event_type`, in words; None when it can."""
    return ERRORED_FULFILS if event_type == _ERRORED else event_type_fault(event_type)


def rule_fault(event_type: str, rule: WrittenRule) -> RuleRefusedError | None:
    """Why the rule cannot work on that (configured) event type; None when it can."""
    try:
        compile_rule(rule, payload_type=subscriptions()[event_type].payload_type)
    except RuleRefusedError as error:
        return error
    return None


def badges_named(event_type: str, rules: Iterable[Rule]) -> frozenset[UUID]:
    """The templates whose badge a requirement or penalty waits for by name: `template.uuid` eq or
    in. Rules that could match any badge name none.
    """
    if event_type not in BADGE_EVENTS:
        return frozenset()
    named: set[UUID] = set()
    for rule in rules:
        if rule.path == BADGE_PATH and rule.operator in {"eq", "in"}:
            texts = split_list(rule.value) if rule.operator == "in" else [rule.value]
            named.update(UUID(text) for text in texts if _UUID.fullmatch(text))
    return frozenset(named)


def badge_cycles(
    needs: Mapping[UUID, Collection[UUID]], *, through: Iterable[UUID]
) -> Iterator[tuple[UUID, ...]]:
    """Each circle through one of the templates `through`, the shortest of each, as a path that
    ends where it began. `needs`: template -> templates that its requirements and penalties name.

    Note [Badges in a circle]
        Two badges that need each other can never be earned first, and a penalty in the circle
        could go round it for ever; so penalties count like requirements.
    """
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        pass
    else:
        return
    told: set[frozenset[UUID]] = set()
    for template in through:
        circle = _shortest_circle(needs, template)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            yield circle


def _shortest_circle(needs: Mapping[UUID, Collection[UUID]], start: UUID) -> tuple[UUID, ...]:
    """Empty when there is none."""
    came_from: dict[UUID, UUID] = {}
    waiting = deque([start])
    while waiting:
        template = waiting.popleft()
        for other in sorted(needs.get(template, ())):
            if other == start:
                path = [start, template]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return tuple(reversed(path))
            if other not in came_from:
                came_from[other] = template
                waiting.append(other)
    return ()


def circle_words(circle: Sequence[UUID], names: Mapping[UUID, str] | None = None) -> str:
    """What is wrong with a circle of badge_cycles; `names` of templates where they are known."""
    known = names or {}
    way = " needs ".join(known.get(uuid, str(uuid)) for uuid in circle)
    return f"badges go in a circle: {way}"


def stored_needs() -> dict[UUID, frozenset[UUID]]:
    """Which badges the active templates name. Two queries."""
    found: dict[UUID, frozenset[UUID]] = {}
    for model, owner in ((DataRule, "requirement"), (PenaltyDataRule, "penalty")):
        rows = model.objects.filter(
            **{
                f"{owner}__template__is_active": True,
                f"{owner}__event_type__in": BADGE_EVENTS,
                "path": BADGE_PATH,
            }
        ).select_related(f"{owner}__template")
        for rule in rows:
            above = getattr(rule, owner)
            uuid = above.template.uuid
            found[uuid] = found.get(uuid, frozenset()) | badges_named(above.event_type, [rule])
    return found


def cycle_faults(
    template: BadgeTemplate, owners: Iterable[tuple[str, Iterable[Rule]]]
) -> list[str]:
    """Circles that `template` would close if it were active. `owners`: event type and rules of each
    of its requirements and penalties, as they are or as they are about to be saved. Three queries.
    """
    own = frozenset(uuid for owner in owners for uuid in badges_named(*owner))
    if not own:
        return []
    circles = list(badge_cycles({**stored_needs(), template.uuid: own}, through=[template.uuid]))
    involved = {uuid for circle in circles for uuid in circle}
    rows = BadgeTemplate.objects.filter(uuid__in=involved).values_list("uuid", "name")
    names = {**dict(rows), template.uuid: template.name}
    return [f"The {circle_words(circle, names)}." for circle in circles]


def stored_faults(template: BadgeTemplate) -> list[str]:
    """Everything that speaks against activating a stored template, in words. At most eleven
    queries.
    """
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
    errored = (each.key for each in requirements if each.event_type == _ERRORED)
    found += [f"{key}: event_type: {ERRORED_FULFILS}" for key in errored]
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
    found += cycle_faults(template, [(each.event_type, each.rules.all()) for each in owners])
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
        rule_fault(owner.event_type, WrittenRule(rule.path, rule.operator, rule.value))
        for rule in owner.rules.all()
    )
    return [f"{fault.field}: {fault.message}" for fault in faults if fault is not None]
