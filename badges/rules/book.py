"""Templates compiled into an index, and events matched against it.

Cost of one event: one look-up per indexed path of its type, plus the conditions of what those
look-ups return; it does not grow with the number of templates.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import attrs

from badges.rules.conditions import Condition, Value
from badges.rules.evidence import Demand
from badges.rules.values import Absent, canonical


@attrs.frozen
class Requirement:
    """`disabled`: a stored rule fits the installed events no more. It matches nothing, but who
    fulfilled it before keeps that.
    """

    id: int
    key: str
    event_type: str
    group: str  # never empty: a requirement of its own has a label that no other has
    conditions: tuple[Condition, ...]
    demand: Demand = attrs.field(factory=Demand)
    distinct_by: Value | None = None
    after: tuple[str, ...] = ()  # keys of requirements of the same template
    disabled: bool = False

    def looks_for(self, other: "Requirement") -> bool:
        """Do both look for the same events, and tell them apart by the same value?"""
        return (
            self.event_type == other.event_type
            and {each.rule for each in self.conditions} == {each.rule for each in other.conditions}
            and (self.distinct_by and self.distinct_by.path)
            == (other.distinct_by and other.distinct_by.path)
        )


@attrs.frozen
class Penalty:
    """`description` is what a learner may read as the reason of a revocation."""

    id: int
    key: str
    event_type: str
    resets: tuple[str, ...]  # keys of requirements
    conditions: tuple[Condition, ...]
    disabled: bool = False
    description: str = ""


@attrs.frozen(slots=False)  # keeps what it derived
class Template:
    """The rules of one badge template. `groups` maps each label to how many of it must be met.
    `version` is the number of these rules.
    """

    id: int
    groups: Mapping[str, int]
    requirements: tuple[Requirement, ...]
    penalties: tuple[Penalty, ...]
    reissue_allowed: bool = False
    version: int = 0

    @cached_property
    def in_order(self) -> tuple[Requirement, ...]:
        """The requirements, each after those it waits for. Raises CycleError."""
        by_key = {each.key: each for each in self.requirements}
        waits = {each.key: [key for key in each.after if key in by_key] for each in by_key.values()}
        return tuple(by_key[key] for key in TopologicalSorter(waits).static_order())

    @cached_property
    def prerequisites(self) -> frozenset[str]:
        """Keys of the requirements that others wait for."""
        return frozenset(key for each in self.requirements for key in each.after)


@attrs.frozen
class Met:
    """A requirement whose rules all hold, and the value its distinct_by has in the event."""

    requirement: Requirement
    value: str = ""


@attrs.frozen
class TemplateMatch:
    """What one event met of one template."""

    template: Template
    met: tuple[Met, ...]
    penalties: tuple[Penalty, ...]


@attrs.frozen(eq=False)
class _Entry:
    template: Template
    rule: Requirement | Penalty
    conditions: tuple[Condition, ...]  # those that the index has not answered already


@attrs.frozen(eq=False)
class _Shelf:
    """The entries of one event type: by value of an equality, and those without one."""

    by_value: tuple[tuple[Condition, Mapping[Any, tuple[_Entry, ...]]], ...]
    rest: tuple[_Entry, ...]


@attrs.frozen(eq=False)
class RuleBook:
    """All active rules, compiled. `version` is the number of the definitions it was made from."""

    version: int
    templates: Mapping[int, Template]
    shelves: Mapping[str, _Shelf]

    def match(self, event: Any) -> tuple[TemplateMatch, ...]:
        """What `event` meets, template by template, in the order of their ids.

        `event` offers `type`, `payload`, `time`, `source`, `sourcehost`.
        """
        shelf = self.shelves.get(event.type)
        if shelf is None:
            return ()
        candidates: list[_Entry] = []
        for reader, by_value in shelf.by_value:
            candidates += by_value.get(reader.actual(event), ())
        candidates += shelf.rest
        if not candidates:
            return ()
        known: dict[Condition, bool] = {}
        met = [entry for entry in candidates if _all_hold(entry, event, known)]
        return _by_template(met, event) if met else ()


def _all_hold(entry: _Entry, event: Any, known: dict[Condition, bool]) -> bool:
    """Conditions that several rules share are evaluated once: `known` remembers."""
    for condition in entry.conditions:
        holds = known.get(condition)
        if holds is None:
            holds = known[condition] = condition.holds(event)
        if not holds:
            return False
    return True


def _by_template(entries: list[_Entry], event: Any) -> tuple[TemplateMatch, ...]:
    grouped: dict[int, list[_Entry]] = defaultdict(list)
    for entry in entries:
        grouped[entry.template.id].append(entry)
    found = (
        TemplateMatch(
            template=of_one[0].template,
            met=tuple(_met(of_one, event)),
            penalties=tuple(each.rule for each in of_one if isinstance(each.rule, Penalty)),
        )
        for _, of_one in sorted(grouped.items())
    )
    return tuple(match for match in found if match.met or match.penalties)


def _met(entries: list[_Entry], event: Any) -> Iterable[Met]:
    """An event without the value that has to differ does not count."""
    for entry in entries:
        requirement = entry.rule
        if not isinstance(requirement, Requirement):
            continue
        if requirement.distinct_by is None:
            yield Met(requirement)
            continue
        value = requirement.distinct_by.of(event)
        if not isinstance(value, Absent):
            yield Met(requirement, canonical(value))


def compile_book(templates: Iterable[Template], *, version: int) -> RuleBook:
    """Index every requirement and penalty by its most selective equality."""
    kept = tuple(templates)
    entries: dict[str, list[_Entry]] = defaultdict(list)
    for template in kept:
        rules: tuple[Requirement | Penalty, ...] = (*template.requirements, *template.penalties)
        for rule in rules:
            if not rule.disabled:
                entries[rule.event_type].append(_Entry(template, rule, rule.conditions))
    return RuleBook(
        version=version,
        templates={template.id: template for template in kept},
        shelves={event_type: _shelve(found) for event_type, found in entries.items()},
    )


def _shelve(entries: list[_Entry]) -> _Shelf:
    crowd: dict[tuple[str, Any], int] = defaultdict(int)
    for entry in entries:
        for condition in entry.conditions:
            for value in condition.equals or ():
                crowd[condition.rule.path, value] += 1

    def company(condition: Condition) -> int:
        """How many entries share the values of this equality: the fewer, the more selective."""
        return sum(crowd[condition.rule.path, value] for value in condition.equals or ())

    by_path: dict[str, dict[Any, list[_Entry]]] = {}
    readers: dict[str, Condition] = {}
    rest: list[_Entry] = []
    for entry in entries:
        best = _most_selective(entry.conditions, company)
        if best is None:
            rest.append(entry)
            continue
        others = tuple(each for each in entry.conditions if each is not best)
        readers.setdefault(best.rule.path, best)
        shelf = by_path.setdefault(best.rule.path, defaultdict(list))
        for value in best.equals or ():
            shelf[value].append(attrs.evolve(entry, conditions=others))
    return _Shelf(
        by_value=tuple(
            (readers[path], {value: tuple(found) for value, found in shelf.items()})
            for path, shelf in by_path.items()
        ),
        rest=tuple(rest),
    )


def _most_selective(
    conditions: tuple[Condition, ...], company: Callable[[Condition], int]
) -> Condition | None:
    equalities = [each for each in conditions if each.equals is not None]
    return min(equalities, key=company, default=None)
