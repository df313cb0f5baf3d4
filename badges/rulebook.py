"""The rulebook of this process: loaded with a constant number of queries, compiled, kept, and
loaded again when the version row says that a definition changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from badges.models import BadgePenalty, BadgeRequirement, DataRule, PenaltyDataRule
from badges.rules.book import Penalty, Requirement, RuleBook, Template, compile_book
from badges.rules.conditions import Condition, RuleRefusedError, compile_rule
from badges.rules.conditions import DataRule as WrittenRule
from credentials.models import BadgeTemplate, DefinitionsVersion
from events.registry import subscriptions

log = structlog.get_logger(__name__)

_kept: dict[str, RuleBook] = {}


def current() -> RuleBook:
    """One query when nothing changed since the last call in this process, else seven."""
    version = DefinitionsVersion.current()
    book = _kept.get("book")
    if book is None or book.version != version:
        book = _kept["book"] = load(version=version)
        log.info("rules loaded", version=version, templates=len(book.templates))
    return book


def forget() -> None:
    """Load again at the next call. Needed only where the database itself was replaced."""
    _kept.clear()


def load(*, version: int) -> RuleBook:
    """Compile every active template. Six queries, whatever the number of templates."""
    compiler = _Compiler()
    requirements = _by_owner(
        BadgeRequirement.objects.filter(template__is_active=True).order_by("id"), "template_id"
    )
    penalties = _by_owner(
        BadgePenalty.objects.filter(template__is_active=True).order_by("id"), "template_id"
    )
    rules = _by_owner(
        DataRule.objects.filter(requirement__template__is_active=True).order_by("id"),
        "requirement_id",
    )
    penalty_rules = _by_owner(
        PenaltyDataRule.objects.filter(penalty__template__is_active=True).order_by("id"),
        "penalty_id",
    )
    resets = defaultdict(list)
    for penalty_id, key in (
        BadgePenalty.requirements.through.objects.filter(badgepenalty__template__is_active=True)
        .order_by("badgerequirement_id")
        .values_list("badgepenalty_id", "badgerequirement__key")
    ):
        resets[penalty_id].append(key)
    templates = BadgeTemplate.objects.filter(is_active=True).order_by("id")
    return compile_book(
        [
            compiler.template(
                template_id,
                reissue_allowed=reissue == BadgeTemplate.Reissue.ALLOWED,
                requirements=[
                    (each, rules.get(each.pk, [])) for each in requirements.get(template_id, [])
                ],
                penalties=[
                    (each, penalty_rules.get(each.pk, []), resets.get(each.pk, []))
                    for each in penalties.get(template_id, [])
                ],
            )
            for template_id, reissue in templates.values_list("pk", "reissue")
        ],
        version=version,
    )


def compile_one(template: BadgeTemplate) -> Template:
    """The rules of one template, active or not. Four queries."""
    return _Compiler().template(
        template.pk,
        reissue_allowed=template.reissue == BadgeTemplate.Reissue.ALLOWED,
        requirements=[
            (each, list(each.rules.all()))
            for each in template.requirements.order_by("id").prefetch_related("rules")
        ],
        penalties=[
            (each, list(each.rules.all()), [r.key for r in each.requirements.all()])
            for each in template.penalties.order_by("id").prefetch_related("rules", "requirements")
        ],
    )


class _Compiler:
    """Turns rows into frozen rules; equal data rules become one condition."""

    def __init__(self) -> None:
        self._conditions: dict[tuple[str, str, str, str], Condition] = {}

    def template(
        self,
        template_id: int,
        *,
        reissue_allowed: bool,
        requirements: list[tuple[BadgeRequirement, list[Any]]],
        penalties: list[tuple[BadgePenalty, list[Any], list[str]]],
    ) -> Template:
        groups: dict[str, int] = {}
        met: list[Requirement] = []
        for row, rules in requirements:
            # A label that no form can enter keeps a requirement without a group alone.
            label = row.group or f"\x00{row.key}"
            groups[label] = 1
            conditions = self._compile(row, rules)
            disabled = conditions is None
            met.append(
                Requirement(row.pk, row.key, row.event_type, label, conditions or (), disabled)
            )
        undone: list[Penalty] = []
        for each, rules, resets in penalties:
            conditions = self._compile(each, rules)
            disabled = conditions is None
            undone.append(
                Penalty(
                    each.pk, each.key, each.event_type, tuple(resets), conditions or (), disabled
                )
            )
        return Template(
            id=template_id,
            groups=groups,
            requirements=tuple(met),
            penalties=tuple(undone),
            reissue_allowed=reissue_allowed,
        )

    def _compile(
        self, owner: BadgeRequirement | BadgePenalty, rules: Iterable[Any]
    ) -> tuple[Condition, ...] | None:
        """None when a stored rule fits no more: its owner is disabled, the others go on."""
        subscription = subscriptions().get(owner.event_type)
        if subscription is None:
            log.error("rule disabled", owner=repr(owner), reason="event type is not configured")
            return None
        conditions = []
        for rule in rules:
            key = (owner.event_type, rule.path, rule.operator, rule.value)
            condition = self._conditions.get(key)
            if condition is None:
                try:
                    condition = compile_rule(
                        WrittenRule(rule.path, rule.operator, rule.value),
                        payload_type=subscription.payload_type,
                    )
                except RuleRefusedError as error:
                    log.error("rule disabled", owner=repr(owner), reason=error.message)  # noqa: TRY400 -- no bug of ours, no traceback
                    return None
                self._conditions[key] = condition
            conditions.append(condition)
        return tuple(conditions)


def _by_owner(rows: Iterable[Any], owner: str) -> Mapping[int, list[Any]]:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, owner)].append(row)
    return grouped
