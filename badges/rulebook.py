"""The rulebook of this process: loaded with a constant number of queries, compiled, kept, and
loaded again when the version row says that a definition changed.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import structlog
from django.db.models import Max, QuerySet

from badges.models import (
    BadgePenalty,
    BadgeRequirement,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
    RulesVersion,
)
from badges.rules.book import Penalty, Requirement, RuleBook, Template, compile_book
from badges.rules.conditions import Condition, RuleRefusedError, compile_rule, compile_value
from badges.rules.conditions import DataRule as WrittenRule
from badges.rules.evidence import Demand
from badges.rules.values import ValueRefusedError, parse_duration
from credentials.models import BadgeTemplate, DefinitionsVersion
from events.registry import subscriptions

log = structlog.get_logger(__name__)

_kept: dict[str, RuleBook] = {}


def current() -> RuleBook:
    """One query when nothing changed since the last call in this process, else ten."""
    version = DefinitionsVersion.current()
    book = _kept.get("book")
    if book is None or book.version != version:
        _kept.clear()
        with _undisturbed():
            book = _kept["book"] = load(version=version)
        log.info("rules loaded", version=version, templates=len(book.templates))
    return book


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Note [Garbage collection]
    A rulebook is many thousand objects that live until the next edit. While they are made,
    collections find nothing and cost as much again as the compiling; afterwards every full
    collection would walk over all of them, batch after batch. So it is off while loading, and
    what survives is frozen out of it until the next load.
    """
    was_enabled = gc.isenabled()
    gc.unfreeze()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.collect()
        gc.freeze()


def forget() -> None:
    """Load again at the next call. Needed only where the database itself was replaced."""
    _kept.clear()


def load(*, version: int) -> RuleBook:
    """Compile every active template. Nine queries, whatever the number of templates."""
    rows = _Rows.read({"is_active": True})
    return compile_book(rows.compile(), version=version)


def compile_one(template: BadgeTemplate) -> Template:
    """The rules of one template, active or not. Nine queries."""
    (compiled,) = compile_some([template.pk])
    return compiled


def compile_some(template_ids: Sequence[int]) -> list[Template]:
    """The rules of some templates, active or not. Nine queries."""
    return list(_Rows.read({"pk__in": list(template_ids)}).compile())


def snapshots(template_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The present rules of some templates, as RulesVersion keeps them. Nine queries."""
    return dict(_Rows.read({"pk__in": list(template_ids)}).snapshots())


def newest_version(template_id: int) -> Template | None:
    """The rules under which learners progressed last; None when the template never was active.
    One query.
    """
    found = RulesVersion.objects.filter(template_id=template_id).order_by("-number").first()
    if found is None:
        return None
    return compile_snapshot(found.snapshot, template_id=template_id, version=found.number)


def compile_snapshot(
    snapshot: Mapping[str, Any], *, template_id: int, version: int, reissue_allowed: bool = False
) -> Template:
    """Rules that are in no row: those of a former version, or of a draft. Their ids are 0."""
    compiler = _Compiler()
    requirements = tuple(
        compiler.requirement(
            BadgeRequirement(
                pk=0,
                template_id=template_id,
                **{name: each[name] for name in _REQUIREMENT_FIELDS},
            ),
            [WrittenRule(*rule) for rule in each["rules"]],
            tuple(each["after"]),
        )
        for each in snapshot["requirements"]
    )
    penalties = tuple(
        compiler.penalty(
            BadgePenalty(
                pk=0, template_id=template_id, key=each["key"], event_type=each["event_type"]
            ),
            [WrittenRule(*rule) for rule in each["rules"]],
            tuple(each["resets"]),
        )
        for each in snapshot["penalties"]
    )
    return Template(
        id=template_id,
        groups={each.group: snapshot["groups"].get(each.group, 1) for each in requirements},
        requirements=requirements,
        penalties=penalties,
        reissue_allowed=reissue_allowed,
        version=version,
    )


_REQUIREMENT_FIELDS: Final = ("key", "event_type", "group", "count", "distinct_by", "within")


def _written(rule: Any) -> list[str]:
    return [rule.path, rule.operator, rule.value]


def _key(each: Mapping[str, Any]) -> str:
    return str(each["key"])


@attrs.frozen
class _Rows:
    """The rows that make up some templates, by the key of what they belong to."""

    templates: Sequence[tuple[int, str]]
    versions: Mapping[int, int]
    groups: Mapping[int, list[RequirementGroup]]
    requirements: Mapping[int, list[BadgeRequirement]]
    rules: Mapping[int, list[DataRule]]
    after: Mapping[int, list[str]]
    penalties: Mapping[int, list[BadgePenalty]]
    penalty_rules: Mapping[int, list[PenaltyDataRule]]
    resets: Mapping[int, list[str]]

    @classmethod
    def read(cls, scope: Mapping[str, Any]) -> "_Rows":
        """`scope` says which templates, in the words of a filter."""

        def inside(owner: str) -> dict[str, Any]:
            return {f"{owner}__{lookup}": value for lookup, value in scope.items()}

        penalties = BadgePenalty.requirements.through.objects
        after = BadgeRequirement.after.through.objects
        return cls(
            templates=list(
                BadgeTemplate.objects.filter(**scope).order_by("id").values_list("pk", "reissue")
            ),
            versions=dict(
                RulesVersion.objects.filter(**inside("template"))
                .order_by()
                .values_list("template_id")
                .annotate(newest=Max("number"))
            ),
            groups=_by(RequirementGroup.objects.filter(**inside("template")), "template_id"),
            requirements=_by(BadgeRequirement.objects.filter(**inside("template")), "template_id"),
            rules=_by(DataRule.objects.filter(**inside("requirement__template")), "requirement_id"),
            after=_keys(
                after.filter(**inside("from_badgerequirement__template")).values_list(
                    "from_badgerequirement_id", "to_badgerequirement__key"
                )
            ),
            penalties=_by(BadgePenalty.objects.filter(**inside("template")), "template_id"),
            penalty_rules=_by(
                PenaltyDataRule.objects.filter(**inside("penalty__template")), "penalty_id"
            ),
            resets=_keys(
                penalties.filter(**inside("badgepenalty__template")).values_list(
                    "badgepenalty_id", "badgerequirement__key"
                )
            ),
        )

    def snapshots(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rules of each template as JSON data, in one order whatever the history."""
        for template_id, _ in self.templates:
            labels = {each.label: each.required for each in self.groups.get(template_id, ())}
            requirements = [
                {
                    **{name: getattr(each, name) for name in _REQUIREMENT_FIELDS},
                    "after": self.after.get(each.pk, []),
                    "rules": [_written(rule) for rule in self.rules.get(each.pk, ())],
                }
                for each in self.requirements.get(template_id, ())
            ]
            penalties = [
                {
                    "key": each.key,
                    "event_type": each.event_type,
                    "resets": self.resets.get(each.pk, []),
                    "rules": [_written(rule) for rule in self.penalty_rules.get(each.pk, ())],
                }
                for each in self.penalties.get(template_id, ())
            ]
            yield (
                template_id,
                {
                    "groups": {label: labels[label] for label in sorted(labels)},
                    "requirements": sorted(requirements, key=_key),
                    "penalties": sorted(penalties, key=_key),
                },
            )

    def compile(self) -> Iterator[Template]:
        compiler = _Compiler()
        for template_id, reissue in self.templates:
            labels = {each.label: each.required for each in self.groups.get(template_id, ())}
            requirements = tuple(
                compiler.requirement(
                    each, self.rules.get(each.pk, ()), tuple(self.after.get(each.pk, ()))
                )
                for each in self.requirements.get(template_id, ())
            )
            yield Template(
                id=template_id,
                groups={each.group: labels.get(each.group, 1) for each in requirements},
                requirements=requirements,
                penalties=tuple(
                    compiler.penalty(
                        each,
                        self.penalty_rules.get(each.pk, ()),
                        tuple(self.resets.get(each.pk, ())),
                    )
                    for each in self.penalties.get(template_id, ())
                ),
                reissue_allowed=reissue == BadgeTemplate.Reissue.ALLOWED,
                version=self.versions.get(template_id, 0),
            )


class _Compiler:
    """Turns rows into frozen rules; equal data rules become one condition."""

    def __init__(self) -> None:
        self._conditions: dict[tuple[str, str, str, str], Condition] = {}

    def requirement(
        self, row: BadgeRequirement, rules: Iterable[Any], after: tuple[str, ...]
    ) -> Requirement:
        conditions, distinct_by, within = None, None, None
        try:
            conditions = self._conditions_of(row, rules)
            if row.distinct_by:
                payload_type = subscriptions()[row.event_type].payload_type
                distinct_by = compile_value(row.distinct_by, payload_type=payload_type)
            within = parse_duration(row.within) if row.within else None
        except (RuleRefusedError, ValueRefusedError) as error:
            conditions = None
            _disabled(row, str(error))
        return Requirement(
            id=row.pk,
            key=row.key,
            event_type=row.event_type,
            # A label that no form can enter keeps a requirement without a group alone.
            group=row.group or f"\x00{row.key}",
            conditions=conditions or (),
            demand=Demand(row.count, bool(row.distinct_by), within),
            distinct_by=distinct_by,
            after=after,
            disabled=conditions is None,
        )

    def penalty(self, row: BadgePenalty, rules: Iterable[Any], resets: tuple[str, ...]) -> Penalty:
        conditions = None
        try:
            conditions = self._conditions_of(row, rules)
        except RuleRefusedError as error:
            _disabled(row, str(error))
        return Penalty(
            id=row.pk,
            key=row.key,
            event_type=row.event_type,
            resets=resets,
            conditions=conditions or (),
            disabled=conditions is None,
            description=row.description,
        )

    def _conditions_of(
        self, owner: BadgeRequirement | BadgePenalty, rules: Iterable[Any]
    ) -> tuple[Condition, ...]:
        """Raises RuleRefusedError when a stored rule fits the installed events no more."""
        subscription = subscriptions().get(owner.event_type)
        if subscription is None:
            raise RuleRefusedError("event_type", f"{owner.event_type} is not configured")
        return tuple(
            self._condition(owner.event_type, rule, subscription.payload_type) for rule in rules
        )

    def _condition(self, event_type: str, rule: Any, payload_type: type) -> Condition:
        key = (event_type, rule.path, rule.operator, rule.value)
        condition = self._conditions.get(key)
        if condition is None:
            written = WrittenRule(rule.path, rule.operator, rule.value)
            condition = compile_rule(written, payload_type=payload_type)
            self._conditions[key] = condition
        return condition


def _disabled(owner: BadgeRequirement | BadgePenalty, reason: str) -> None:
    """Loud, but the others go on; `manage.py check` says it too."""
    log.error("rule disabled", owner=owner.key, template=owner.template_id, reason=reason)


def _by(rows: QuerySet[Any], owner: str) -> Mapping[int, list[Any]]:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in rows.order_by("id"):
        grouped[getattr(row, owner)].append(row)
    return grouped


def _keys(pairs: Iterable[tuple[int, str]]) -> Mapping[int, list[str]]:
    grouped: dict[int, list[str]] = defaultdict(list)
    for owner_id, key in pairs:
        grouped[owner_id].append(key)
    return {owner_id: sorted(keys) for owner_id, keys in grouped.items()}
