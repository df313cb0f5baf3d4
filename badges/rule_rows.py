"""The rows that rules are made of, read as plain data with a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs
from django.db.models import Max, QuerySet

from badges import models
from badges.rules.conditions import DataRule
from credentials.models import BadgeTemplate

# What a requirement says beside its rules and what it waits for.
DEMANDS: Final = ("key", "event_type", "group", "count", "distinct_by", "within")
Row = TypeVar("Row")


@attrs.frozen
class RequirementRow:
    """The columns of a BadgeRequirement."""

    id: int
    template_id: int
    key: str
    event_type: str
    group: str
    count: int
    distinct_by: str
    within: str


@attrs.frozen
class PenaltyRow:
    """The columns of a BadgePenalty."""

    id: int
    template_id: int
    key: str
    event_type: str
    description: str


@attrs.frozen
class RuleRows:
    """The rows that make up some templates, by the key of what they belong to."""

    templates: Sequence[tuple[int, str]]
    versions: Mapping[int, int]
    groups: Mapping[int, Mapping[str, int]]
    requirements: Mapping[int, Sequence[RequirementRow]]
    rules: Mapping[int, Sequence[DataRule]]
    after: Mapping[int, Sequence[str]]
    penalties: Mapping[int, Sequence[PenaltyRow]]
    penalty_rules: Mapping[int, Sequence[DataRule]]
    resets: Mapping[int, Sequence[str]]

    @classmethod
    def read(cls, scope: Mapping[str, Any]) -> "RuleRows":
        """`scope` says which templates, in the words of a filter."""

        def inside(owner: str) -> dict[str, Any]:
            return {f"{owner}__{lookup}": value for lookup, value in scope.items()}

        penalties = models.BadgePenalty.requirements.through.objects
        after = models.BadgeRequirement.after.through.objects
        return cls(
            templates=list(
                BadgeTemplate.objects.filter(**scope).order_by("id").values_list("pk", "reissue")
            ),
            versions=dict(
                models.RulesVersion.objects.filter(**inside("template"))
                .order_by()
                .values_list("template_id")
                .annotate(newest=Max("number"))
            ),
            groups=_groups(models.RequirementGroup.objects.filter(**inside("template"))),
            requirements=_owners(
                models.BadgeRequirement.objects.filter(**inside("template")), RequirementRow
            ),
            rules=_rules(
                models.DataRule.objects.filter(**inside("requirement__template")), "requirement_id"
            ),
            after=_keys(
                after.filter(**inside("from_badgerequirement__template")).values_list(
                    "from_badgerequirement_id", "to_badgerequirement__key"
                )
            ),
            penalties=_owners(models.BadgePenalty.objects.filter(**inside("template")), PenaltyRow),
            penalty_rules=_rules(
                models.PenaltyDataRule.objects.filter(**inside("penalty__template")), "penalty_id"
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
            labels = self.groups.get(template_id, {})
            requirements = [
                {
                    **{name: getattr(each, name) for name in DEMANDS},
                    "after": list(self.after.get(each.id, ())),
                    "rules": [_written(rule) for rule in self.rules.get(each.id, ())],
                }
                for each in self.requirements.get(template_id, ())
            ]
            penalties = [
                {
                    "key": each.key,
                    "event_type": each.event_type,
                    "resets": list(self.resets.get(each.id, ())),
                    "rules": [_written(rule) for rule in self.penalty_rules.get(each.id, ())],
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


def _written(rule: DataRule) -> list[str]:
    return [rule.path, rule.operator, rule.value]


def _key(each: Mapping[str, Any]) -> str:
    return str(each["key"])


def _owners(rows: QuerySet[Any], kind: type[Row]) -> Mapping[int, Sequence[Row]]:
    """Requirements or penalties by template, in the order of their making."""
    columns = [field.name for field in attrs.fields(kind)]  # type: ignore[arg-type]
    grouped: dict[int, list[Row]] = defaultdict(list)
    for values in rows.order_by("id").values_list(*columns):
        grouped[values[1]].append(kind(*values))
    return grouped


def _rules(rows: QuerySet[Any], owner: str) -> Mapping[int, Sequence[DataRule]]:
    grouped: dict[int, list[DataRule]] = defaultdict(list)
    columns = (owner, "path", "operator", "value")
    for owner_id, path, operator, value in rows.order_by("id").values_list(*columns):
        grouped[owner_id].append(DataRule(path, operator, value))
    return grouped


def _groups(rows: QuerySet[Any]) -> Mapping[int, Mapping[str, int]]:
    grouped: dict[int, dict[str, int]] = defaultdict(dict)
    for template_id, label, required in rows.values_list("template_id", "label", "required"):
        grouped[template_id][label] = required
    return grouped


def _keys(pairs: Iterable[tuple[int, str]]) -> Mapping[int, Sequence[str]]:
    grouped: dict[int, list[str]] = defaultdict(list)
    for owner_id, key in pairs:
        grouped[owner_id].append(key)
    return {owner_id: sorted(keys) for owner_id, keys in grouped.items()}
