"""The rulebook of this process: loaded with a constant number of queries, compiled, kept, and
loaded again when the version row says that a definition changed.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from graphlib import CycleError
from typing import Any, Final

import structlog

from badges.models import RulesVersion
from badges.rule_rows import DEMANDS, PenaltyRow, RequirementRow, RuleRows
from badges.rules.book import Penalty, Requirement, RuleBook, Template, compile_book
from badges.rules.conditions import (
    Condition,
    DataRule,
    RuleRefusedError,
    compile_rule,
    compile_value,
)
from badges.rules.evidence import Demand
from badges.rules.values import ValueRefusedError, parse_duration
from credentials.models import BadgeTemplate, DefinitionsVersion
from events.registry import subscriptions

log = structlog.get_logger(__name__)

_WORTH_FREEZING: Final = 50_000  # objects, those of a few hundred templates
_frozen = False
_kept: dict[str, RuleBook] = {}


def current() -> RuleBook:
    """One query when nothing changed since the last call in this process, else ten."""
    version = DefinitionsVersion.current()
    book = _kept.get("book")
    if book is None or book.version != version:
        _kept.clear()
        book = _kept["book"] = load(version=version)
        log.info("rules loaded", version=version, templates=len(book.templates))
    return book


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Note [Garbage collection]
    A rulebook is many thousand objects that live until the next edit. While they are made,
    collections find nothing and cost as much again as the compiling; afterwards every full
    collection would walk over all of them, batch after batch. So it is off while loading, and
    what survives is frozen out of it until the next load. To freeze takes a collection of all that
    was ever imported, a tenth of a second: later on a small rulebook is not worth that.
    """
    global _frozen  # noqa: PLW0603 -- one process, one heap; to count what is frozen takes too long
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        made, *_ = gc.get_count()
        if made > _WORTH_FREEZING or not _frozen:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            _frozen = True


def _can_be_ordered(template: Template) -> bool:
    """A circle of `after` cannot be saved; one that is stored all the same stops nobody else."""
    try:
        template.in_order  # noqa: B018 -- derived and kept at the first look
    except CycleError as error:
        circle = " after ".join(error.args[1])
        log.error("template disabled", template=template.id, reason=circle)  # noqa: TRY400 -- no bug
        return False
    return True


def forget() -> None:
    """Load again at the next call. Needed only where the database itself was replaced."""
    _kept.clear()


def load(*, version: int) -> RuleBook:
    """Compile every active template. Nine queries, whatever the number of templates."""
    with _undisturbed():
        rows = RuleRows.read({"is_active": True})
        return compile_book(filter(_can_be_ordered, _compile(rows)), version=version)


def compile_one(template: BadgeTemplate) -> Template:
    """The rules of one template, active or not. Nine queries."""
    (compiled,) = compile_some([template.pk])
    return compiled


def compile_some(template_ids: Sequence[int]) -> list[Template]:
    """The rules of some templates, active or not. Nine queries."""
    return list(_compile(RuleRows.read({"pk__in": list(template_ids)})))


def snapshots(template_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The present rules of some templates, as RulesVersion keeps them. Nine queries."""
    return dict(RuleRows.read({"pk__in": list(template_ids)}).snapshots())


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
            RequirementRow(id=0, template_id=template_id, **{name: each[name] for name in DEMANDS}),
            [DataRule(*rule) for rule in each["rules"]],
            tuple(each["after"]),
        )
        for each in snapshot["requirements"]
    )
    penalties = tuple(
        compiler.penalty(
            PenaltyRow(0, template_id, each["key"], each["event_type"], description=""),
            [DataRule(*rule) for rule in each["rules"]],
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


def _compile(rows: RuleRows) -> Iterator[Template]:
    compiler = _Compiler()
    for template_id, reissue in rows.templates:
        labels = rows.groups.get(template_id, {})
        requirements = tuple(
            compiler.requirement(
                each, rows.rules.get(each.id, ()), tuple(rows.after.get(each.id, ()))
            )
            for each in rows.requirements.get(template_id, ())
        )
        yield Template(
            id=template_id,
            groups={each.group: labels.get(each.group, 1) for each in requirements},
            requirements=requirements,
            penalties=tuple(
                compiler.penalty(
                    each,
                    rows.penalty_rules.get(each.id, ()),
                    tuple(rows.resets.get(each.id, ())),
                )
                for each in rows.penalties.get(template_id, ())
            ),
            reissue_allowed=reissue == BadgeTemplate.Reissue.ALLOWED,
            version=rows.versions.get(template_id, 0),
        )


class _Compiler:
    """Turns rows into frozen rules; equal data rules become one condition."""

    def __init__(self) -> None:
        self._conditions: dict[tuple[str, str, str, str], Condition] = {}

    def requirement(
        self, row: RequirementRow, rules: Iterable[DataRule], after: tuple[str, ...]
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
            id=row.id,
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

    def penalty(
        self, row: PenaltyRow, rules: Iterable[DataRule], resets: tuple[str, ...]
    ) -> Penalty:
        conditions = None
        try:
            conditions = self._conditions_of(row, rules)
        except RuleRefusedError as error:
            _disabled(row, str(error))
        return Penalty(
            id=row.id,
            key=row.key,
            event_type=row.event_type,
            resets=resets,
            conditions=conditions or (),
            disabled=conditions is None,
            description=row.description,
        )

    def _conditions_of(
        self, owner: RequirementRow | PenaltyRow, rules: Iterable[DataRule]
    ) -> tuple[Condition, ...]:
        """Raises RuleRefusedError when a stored rule fits the installed events no more."""
        subscription = subscriptions().get(owner.event_type)
        if subscription is None:
            raise RuleRefusedError("event_type", f"{owner.event_type} is not configured")
        return tuple(
            self._condition(owner.event_type, rule, subscription.payload_type) for rule in rules
        )

    def _condition(self, event_type: str, rule: DataRule, payload_type: type) -> Condition:
        key = (event_type, rule.path, rule.operator, rule.value)
        condition = self._conditions.get(key)
        if condition is None:
            condition = compile_rule(rule, payload_type=payload_type)
            self._conditions[key] = condition
        return condition


def _disabled(owner: RequirementRow | PenaltyRow, reason: str) -> None:
    """Loud, but the others go on; `manage.py check` says it too."""
    log.error("rule disabled", owner=owner.key, template=owner.template_id, reason=reason)
