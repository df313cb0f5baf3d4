"""The reckoning, on cases small enough to be judged by eye."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.demo.reckoning import Line, Outcome, Standing, reckon

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
VERIFIED = "org.openedx.learning.exam.attempt.verified.v1"
ANN, BOB, PROF = 11, 12, 99


def course(name: str, *, passing: bool) -> list[dict[str, str]]:
    return [
        {"path": "course.course_key", "operator": "eq", "value": name},
        {"path": "is_passing", "operator": "eq", "value": "true" if passing else "false"},
    ]


def requirement(name: str, *, group: str | None = None) -> dict[str, Any]:
    found = {"id": name, "event_type": PASSING, "rules": course(name, passing=True)}
    return found | ({"group": group} if group else {})


def penalty(name: str) -> dict[str, Any]:
    rules = course(name, passing=False)
    return {"id": f"failed-{name}", "event_type": PASSING, "resets": [name], "rules": rules}


ONE = {"uuid": "t", "requirements": [requirement("A")], "penalties": [penalty("A")]}
BOTH = {"uuid": "t", "requirements": [requirement("A"), requirement("B")]}
EITHER = {"uuid": "t", "requirements": [requirement("A", group="g"), requirement("B", group="g")]}


def person(learner: int) -> dict[str, Any]:
    return {"id": learner, "pii": {"username": "", "email": f"{learner}@example.com"}}


def passing(name: str, day: int, *, ok: bool = True, learner: int = ANN, again: str = "") -> Line:
    payload = {"is_passing": ok, "course": {"course_key": name}, "user": person(learner)}
    return {
        "id": again or f"{name} {day} {ok} {learner}",
        "type": PASSING,
        "time": f"2026-03-{day:02}T10:00:00+00:00",
        "data": {"course_passing_status": payload},
    }


def outcome(template: Mapping[str, Any], *lines: Line) -> Outcome:
    return reckon(
        lines, document={"templates": [template]}, configured={PASSING, VERIFIED}, undecodable=0
    )


def standing(template: Mapping[str, Any], *lines: Line) -> Standing:
    return outcome(template, *lines).standings[ANN, "t"]


def test_a_met_requirement_awards() -> None:
    assert standing(ONE, passing("A", 1)) == Standing(
        fulfilled=frozenset({"A"}),
        groups_met=1,
        groups_required=1,
        complete=True,
        status="awarded",
        blocked=False,
    )


def test_who_matched_nothing_has_no_progress_but_is_a_learner() -> None:
    found = outcome(ONE, passing("other", 1))
    assert found.standings == {}
    assert found.learners == {ANN}


def test_two_requirements_are_both_needed() -> None:
    half = standing(BOTH, passing("A", 1))
    assert (half.groups_met, half.complete, half.status) == (1, False, None)
    assert standing(BOTH, passing("A", 1), passing("B", 2)).status == "awarded"


def test_one_of_a_group_is_enough() -> None:
    found = standing(EITHER, passing("B", 1))
    assert (found.groups_met, found.groups_required, found.status) == (1, 1, "awarded")


@pytest.mark.parametrize(
    ("lines", "status", "complete"),
    [
        pytest.param([("A", 1, True), ("A", 2, False)], "revoked", False, id="lost"),
        pytest.param([("A", 2, True), ("A", 1, False)], "awarded", True, id="failure-comes-late"),
        pytest.param([("A", 2, False), ("A", 1, True)], None, False, id="pass-comes-late"),
        pytest.param([("A", 1, False), ("A", 2, True)], "awarded", True, id="failed-first"),
        pytest.param([("A", 1, True), ("A", 1, False)], "revoked", False, id="same-time-reset"),
        pytest.param([("A", 1, False), ("A", 1, True)], None, False, id="same-time-stale"),
        pytest.param(
            [("A", 1, True), ("A", 3, True), ("A", 2, False)], "awarded", True, id="later-evidence"
        ),
        pytest.param(
            [("A", 1, True), ("A", 3, False), ("A", 2, True)], "revoked", False, id="stays-lost"
        ),
    ],
)
def test_penalties(lines: list[tuple[str, int, bool]], status: str | None, complete: bool) -> None:
    found = standing(ONE, *(passing(name, day, ok=ok) for name, day, ok in lines))
    assert (found.status, found.complete, found.blocked) == (status, complete, False)


def test_earned_again_after_a_revocation_is_blocked() -> None:
    found = standing(ONE, passing("A", 1), passing("A", 2, ok=False), passing("A", 3))
    assert (found.complete, found.status, found.blocked) == (True, "revoked", True)


def test_a_second_delivery_is_a_duplicate_and_changes_nothing() -> None:
    first = passing("A", 1)
    found = outcome(ONE, first, passing("A", 2, ok=False), first)
    assert found.standings[ANN, "t"].status == "revoked"
    assert found.inbox["duplicate"] == 1


def test_a_certificate_bears_the_newest_name_that_is_known() -> None:
    on_paper = {**ONE, "providers": ["credly", "pdf"]}
    lines = [passing("A", day) for day in (1, 2, 3)]
    for line, name in zip(lines, ("Ann", "Ann Lee", ""), strict=True):
        line["data"]["course_passing_status"]["user"]["pii"]["name"] = name
    assert outcome(on_paper, *lines).printed == {(ANN, "t"): "Ann Lee"}
    assert outcome(ONE, *lines).printed == {}
    assert outcome(on_paper, passing("A", 1, ok=False)).printed == {}


def test_learners_are_apart() -> None:
    found = outcome(BOTH, passing("A", 1), passing("B", 1, learner=BOB))
    assert not found.standings[ANN, "t"].complete
    assert not found.standings[BOB, "t"].complete


def test_each_award_and_revocation_comes_back_as_an_event() -> None:
    found = outcome(ONE, passing("A", 1), passing("A", 2, ok=False), passing("A", 1, learner=BOB))
    assert found.inbox == {
        "accepted": 3 + 3,
        "ignored": 0,
        "duplicate": 0,
        "failed": 0,
        "dead": 0,
    }


def test_other_types_are_passed_over() -> None:
    found = outcome(ONE, {**passing("A", 1), "type": "other"})
    assert (found.passed_over, found.learners, found.standings) == (1, frozenset(), {})


def test_an_exam_is_about_the_student() -> None:
    template = {
        "uuid": "t",
        "requirements": [
            {
                "id": "exam",
                "event_type": VERIFIED,
                "rules": [
                    {"path": "exam_type", "operator": "in", "value": ["proctored", "onsite"]}
                ],
            }
        ],
    }

    def exam(kind: str, learner: int) -> Line:
        attempt = {
            "student_user": person(learner),
            "exam_type": kind,
            "requesting_user": person(PROF),
        }
        return {**passing(kind, 1, learner=learner), "type": VERIFIED} | {
            "data": {"exam_attempt": attempt}
        }

    found = outcome(template, exam("onsite", ANN), exam("timed", BOB))
    assert found.learners == {ANN, BOB}
    assert {pair: each.status for pair, each in found.standings.items()} == {(ANN, "t"): "awarded"}


def test_an_operator_it_does_not_know_is_an_error() -> None:
    rules = [{"path": "is_passing", "operator": "exists", "value": ""}]
    template = {
        "uuid": "t",
        "requirements": [{"id": "A", "event_type": PASSING, "rules": rules}],
    }
    with pytest.raises(ValueError, match="'exists'"):
        outcome(template, passing("A", 1))


def test_it_does_not_use_the_code_that_it_checks() -> None:
    program = (
        "import sys, tests.demo.reckoning\n"
        "print({'badges', 'events', 'credentials', 'django'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
