"""Grades by the grading policy."""

from typing import Final

import pytest

from certificates.platform.answers import Category, Section
from certificates.retrievers.grading import UnknownCategoryError, scores, unmet

POLICY: Final = (
    Category("hw", count=1, dropped=0, weight=0.2),
    Category("lab", count=1, dropped=0, weight=0.1),
    Category("exam", count=1, dropped=0, weight=0.7),
)
REQUIRED: Final = {"hw": 0.4, "exam": 0.9, "total": 0.8}


def sections(**percents: float) -> list[Section]:
    return [Section("", category, percent) for category, percent in percents.items()]


def test_lc_4_the_total_is_weighted() -> None:
    reached = scores(POLICY, sections(hw=0.8, exam=0.95))
    assert reached == {"hw": 0.8, "lab": 0.0, "exam": 0.95, "total": 0.825}
    assert unmet(REQUIRED, reached) == []


@pytest.mark.parametrize(
    ("percents", "missed"),
    [
        ({"hw": 0.3, "exam": 0.95}, ["hw", "total"]),
        ({"hw": 0.3, "exam": 0.95, "lab": 1.0}, ["hw"]),
        ({"hw": 0.8}, ["exam", "total"]),
        ({}, ["hw", "exam", "total"]),
    ],
)
def test_lc_4_what_is_missing(percents: dict[str, float], missed: list[str]) -> None:
    assert unmet(REQUIRED, scores(POLICY, sections(**percents))) == missed


def test_lc_4_a_category_that_the_policy_does_not_know() -> None:
    with pytest.raises(UnknownCategoryError, match="'quiz'"):
        scores(POLICY, sections(hw=0.8, quiz=1.0))


@pytest.mark.parametrize(
    ("count", "dropped", "percents", "mean"),
    [
        (3, 0, [0.9, 0.6], 0.5),  # the third is 0
        (2, 0, [0.9, 0.6, 0.3], 0.6),  # there are more than the policy counts on
        (3, 1, [0.9, 0.6, 0.3], 0.75),  # the lowest does not count
        (3, 1, [0.9, 0.6], 0.75),  # the one that is missing is the lowest
        (0, 0, [], 0.0),
        (1, 1, [1.0], 0.0),  # all are dropped
    ],
)
def test_the_mean_of_a_category(
    count: int, dropped: int, percents: list[float], mean: float
) -> None:
    policy = [Category("hw", count=count, dropped=dropped, weight=1.0)]
    reached = scores(policy, [Section("", "hw", percent) for percent in percents])
    assert reached == {"hw": mean, "total": mean}


def test_binary_fractions_are_no_reason_to_fail() -> None:
    policy = [Category("a", 1, 0, 0.7), Category("b", 1, 0, 0.1)]
    assert 0.7 + 0.1 < 0.8
    assert unmet({"total": 0.8}, scores(policy, sections(a=1.0, b=1.0))) == []
