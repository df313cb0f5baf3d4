"""Answers of the platform become types; what makes no sense is told apart from what is no answer.

The samples have the form of the APIs of the LMS (and of the completion aggregator), with the people
of the scenarios in them.
"""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from certificates.platform import answers
from certificates.platform.answers import Account, Category, Completion, Enrollment, Section
from certificates.platform.errors import MalformedAnswer

SAMPLES: Final = Path(__file__).parents[3] / "samples" / "platform"
BLOCK: Final = "block-v1:edX+P1+2024+type@sequential+block@"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def test_a_course() -> None:
    course = answers.course(sample("course"))
    assert (course.key, course.name) == ("course-v1:edX+P1+2024", "Proctoring for All")
    assert course.end == datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("end", ["soon", "2026-12-31T23:30:00", 7])
def test_a_course_that_ends_nobody_knows_when(end: Any) -> None:
    with pytest.raises(MalformedAnswer, match="end"):
        answers.course({**sample("course"), "end": end})


def test_a_grading_policy() -> None:
    assert answers.policy(sample("policy")) == [
        Category("hw", 1, 0, 0.2),
        Category("lab", 1, 0, 0.1),
        Category("exam", 1, 0, 0.7),
    ]


@pytest.mark.parametrize(
    "policy", [{}, ["hw"], [{"assignment_type": "hw", "count": None, "dropped": 0, "weight": 1}]]
)
def test_a_grading_policy_that_is_none(policy: Any) -> None:
    with pytest.raises(MalformedAnswer, match="policy"):
        answers.policy(policy)


def test_a_page_by_cursor() -> None:
    page = answers.page(sample("gradebook_first_page"))
    assert page.next == {"cursor": "cD0y"}
    assert len(page.results) == 2
    assert answers.page(sample("gradebook_last_page")).next is None


def test_a_page_by_number() -> None:
    assert answers.page(sample("completion_page")).next == {"page": "2"}
    assert answers.page(sample("completion_page_of_old")).next is None


@pytest.mark.parametrize(
    "page",
    [
        None,
        [],
        {"detail": "surprise"},
        {"results": {}, "next": None},
        {"results": [], "next": 2},
        {"results": [], "next": "https://lms.example.com/api/?offset=2"},
        {"results": [], "pagination": []},
    ],
)
def test_a_page_that_is_none(page: Any) -> None:
    with pytest.raises(MalformedAnswer, match=r"page|pagination"):
        answers.page(page)


def test_grades() -> None:
    ann = answers.grades(sample("gradebook_of_one"))
    assert ann.account == Account(11, "ann", "", "Ann L")
    assert ann.sections == [
        Section(f"{BLOCK}hw01", "hw", 0.8),
        Section(f"{BLOCK}final", "exam", 0.95),
    ]


@pytest.mark.parametrize(
    "breakdown",
    [
        None,
        {},
        ["hw"],
        [{"category": 7, "percent": 1.0}],
        [{"category": "hw", "percent": None}],
        [{"category": "hw", "percent": "80"}],
        [{"category": "hw", "percent": True}],
        [{"category": "hw", "percent": -0.1}],
    ],
)
def test_odd_grades_are_one_learners_fault(breakdown: Any) -> None:
    grades = answers.grades({**sample("gradebook_of_one"), "section_breakdown": breakdown})
    assert grades.account.username == "ann"
    assert grades.fault
    assert not grades.sections


@pytest.mark.parametrize("number", [None, 0, -1, True, "11", 1.5])
def test_somebody_without_an_id(number: Any) -> None:
    with pytest.raises(MalformedAnswer, match="staff"):
        answers.grades({**sample("gradebook_of_one"), "user_id": number})


def test_accounts() -> None:
    assert answers.accounts(sample("accounts")) == [
        Account(11, "ann", "ann@example.com", "Ann L"),
        Account(12, "bob", "bob@example.com", "Bob"),
    ]


def test_accounts_as_others_than_staff_see_them() -> None:
    with pytest.raises(MalformedAnswer, match="staff"):
        answers.accounts(sample("accounts_seen_by_a_learner"))


def test_completion() -> None:
    results = sample("completion_page")["results"]
    assert [answers.completion(each) for each in results] == [
        Completion("ann", 0.95),
        Completion("bob", 0.9),
    ]
    (old,) = sample("completion_page_of_old")["results"]
    assert answers.completion(old) == Completion("ann", 0.95)


def test_completion_of_a_block() -> None:
    ann, bob = sample("completion_page_with_blocks")["results"]
    asked = {"block": f"{BLOCK}hw01", "block_type": "sequential"}
    assert answers.completion(ann, **asked) == Completion("ann", 0.75)
    assert answers.completion(bob, **asked) == Completion("bob", 0.0)


@pytest.mark.parametrize("percent", [None, "0.9", True, 1.1, -1])
def test_odd_completion_is_one_learners_fault(percent: Any) -> None:
    ann = deepcopy(sample("completion_page")["results"][0])
    ann["completion"]["percent"] = percent
    completion = answers.completion(ann)
    assert completion.username == "ann"
    assert completion.fault


def test_blocks_that_were_asked_for_and_are_not_there() -> None:
    ann = sample("completion_page")["results"][0]
    assert answers.completion(ann, block=f"{BLOCK}hw01", block_type="sequential").fault


def test_enrollments() -> None:
    assert [answers.enrollment(each) for each in sample("enrollments")["results"]] == [
        Enrollment("ann", "verified", True),
        Enrollment("bob", "audit", False),
    ]
