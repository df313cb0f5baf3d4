"""Grades of a course by its grading policy: pure.

A category's score is the mean of its sections without the lowest `dropped`; a policy that counts on
more sections than there are takes the missing ones as 0. The total is the sum of the categories by
weight. The platform rounds its own total to whole per cent; this one is not rounded.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from certificates.platform.answers import Category, Section

TOTAL: Final = "total"
_DIGITS: Final = 9
"""What is left of 0.1 + 0.2 beyond them is no merit and no fault."""


class UnknownCategoryError(LookupError):
    """A learner has a section of a category that the policy does not know."""


def scores(policy: Sequence[Category], sections: Sequence[Section]) -> Mapping[str, float]:
    """By category, and the total; 1 is everything. Raises UnknownCategoryError."""
    percents: dict[str, list[float]] = {category.name: [] for category in policy}
    for section in sections:
        if section.category not in percents:
            raise UnknownCategoryError(f"{section.category!r} is not in the grading policy")
        percents[section.category].append(section.percent)
    found = {each.name: _mean(percents[each.name], category=each) for each in policy}
    total = sum(each.weight * found[each.name] for each in policy)
    return {name: round(score, _DIGITS) for name, score in {**found, TOTAL: total}.items()}


def _mean(percents: Sequence[float], *, category: Category) -> float:
    missing = max(category.count - len(percents), 0)
    kept = sorted([*percents, *[0.0] * missing])[category.dropped :]
    return sum(kept) / len(kept) if kept else 0.0


def unmet(required: Mapping[str, float], reached: Mapping[str, float]) -> Sequence[str]:
    """Of what is required, what is not reached, in the order of `required`."""
    return [name for name, least in required.items() if reached.get(name, 0.0) < least]
