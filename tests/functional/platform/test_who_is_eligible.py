"""Retrievers ask a local platform over HTTP: who has earned it?"""

import logging
from datetime import datetime
from typing import Any

import pytest

from certificates.platform.api import platform as platform_of_settings
from certificates.platform.sandbox import Running, World
from certificates.retrievers.asking import evaluate
from certificates.retrievers.base import RetrievalError
from tests.functional.platform.academy import (
    CK,
    DK,
    END,
    FINAL,
    LAB,
    PEOPLE,
    PROBLEM,
    ask,
    course,
    eligible,
    section,
    world,
)

REQUIRED = {"hw": 0.4, "exam": 0.9, "total": 0.8}


def test_lc_3_completion(platform: Running) -> None:
    people = course(ann={"completion": 0.95}, bob={"completion": 0.90}, cid={"completion": 0.89})
    platform.sandbox.load(world(people))
    results = ask("completions", required_completion=0.9)
    assert eligible(results) == {"ann", "bob"}
    ann, cid = results["ann"], results["cid"]
    assert (ann.lms_user_id, ann.email) == (11, "ann@example.com")
    assert ann.name == "Ann of the Academy"
    assert ann.details == {"completion": 0.95, "unmet": []}
    assert cid.details == {"completion": 0.89, "unmet": ["completion"]}
    assert eligible(ask("completions")) == {"ann", "bob"}  # 0.9 is the default


def test_lc_4_grades(platform: Running) -> None:
    platform.sandbox.load(
        world(
            course(
                ann={"grades": [section("hw", 0.8), section("exam", 0.95)]},
                bob={"grades": [section("hw", 0.3), section("exam", 0.95)]},
                cid={"grades": [section("hw", 0.8)]},
                dan={"grades": [section("quiz", 1.0), section("exam", 0.95)]},
            )
        )
    )
    results = ask("grades", required_grades=REQUIRED)
    assert eligible(results) == {"ann"}
    assert results["ann"].details == {
        "grades": {"hw": 0.8, "lab": 0.0, "exam": 0.95, "total": 0.825},
        "unmet": [],
    }
    assert results["bob"].details["unmet"] == ["hw", "total"]
    assert results["cid"].details["unmet"] == ["exam", "total"]
    assert "'quiz' is not in the grading policy" in results["dan"].fault
    assert [name for name, each in results.items() if each.fault] == ["dan"]
    # The gradebook hides addresses; who is eligible has one nevertheless.
    assert results["ann"].email == "ann@example.com"


def test_a_grade_that_nobody_can_have(platform: Running) -> None:
    platform.sandbox.load(world(course(ann={})))
    with pytest.raises(RetrievalError, match="no grade of essay here, only of exam, hw, lab, tot"):
        ask("grades", required_grades={"essay": 0.5})


def test_both_at_once(platform: Running) -> None:
    good = {"completion": 0.9, "grades": [section("exam", 1.0), section("hw", 1.0)]}
    platform.sandbox.load(
        world(
            course(
                ann=good,
                bob={**good, "completion": 0.5},
                cid={**good, "grades": []},
                dan={**good, "completion": "most of it"},
            )
        )
    )
    results = ask("completions_and_grades", required_grades={"total": 0.8})
    assert eligible(results) == {"ann"}
    assert results["bob"].details["unmet"] == ["completion"]
    assert results["cid"].details["unmet"] == ["total"]
    assert "completion makes no sense" in results["dan"].fault


def test_lc_14_a_lesson(platform: Running) -> None:
    platform.sandbox.load(
        world(
            course(
                ann={
                    "blocks": {FINAL: 0.9, LAB: 0.1},
                    "grades": [section("exam", 0.7, FINAL), section("lab", 0.2, LAB)],
                },
                bob={"completion": 1.0, "grades": [section("exam", 0.1, FINAL)]},
            )
        )
    )
    assert eligible(ask("completions", FINAL)) == {"ann"}
    assert eligible(ask("completions", LAB)) == set()
    assert eligible(ask("grades", FINAL, required_grades={"total": 0.7})) == {"ann"}
    assert "is it graded?" in ask("grades", LAB, required_grades={"total": 0})["bob"].fault
    both = ask("completions_and_grades", FINAL, required_grades={"total": 0.7})
    assert eligible(both) == {"ann"}
    assert both["bob"].details["unmet"] == ["completion", "total"]
    with pytest.raises(RetrievalError, match="no grade of hw here, only of total"):
        ask("grades", FINAL, required_grades={"hw": 0.7})
    with pytest.raises(RetrievalError, match="completion of a problem is not known"):
        ask("completions", PROBLEM)
    with pytest.raises(RetrievalError, match="problem has no grade"):
        ask("grades", PROBLEM, required_grades={"total": 0.7})


def test_lc_2_a_learning_path(platform: Running) -> None:
    platform.sandbox.load(
        world(
            course(
                CK,
                ann={"completion": 0.95},
                bob={"completion": 0.95},
                cid={"completion": 0.5},
                dan={"completion": None},
            ),
            course(
                DK,
                ann={"completion": 0.6, "grades": [section("exam", 1.0)]},
                cid={"completion": 1.0, "grades": [section("exam", 1.0)]},
            ),
        )
    )
    path = "path-v1:edX+P+2024"
    # Grades are demanded in general; the first step demands none, the second less completion.
    results = ask(
        "learning_path",
        path,
        required_completion=0.9,
        required_grades={"exam": 0.9},
        steps={CK: {"required_grades": None}, DK: {"required_completion": 0.6}},
    )
    assert eligible(results) == {"ann"}
    assert results["ann"].details == {"steps": [CK, DK], "unmet": []}
    assert results["ann"].email == "ann@example.com"
    assert results["bob"].details == {"steps": [CK], "unmet": [DK]}
    assert results["cid"].details == {"steps": [DK], "unmet": [CK]}
    assert results["dan"].fault.startswith(CK)
    assert eligible(ask("learning_path", path, steps={CK: {}})) == {"ann", "bob"}
    assert eligible(ask("learning_path", path, steps={CK: {}}, learner=12)) == {"bob"}


def test_lc_7_bad_options_are_not_asked(platform: Running) -> None:
    for slug, options in (
        ("completions", {"required_completion": 1.5}),
        ("completions", {"required_completion": "x"}),
        ("completions", {"requiredCompletion": 0.9}),
        ("grades", {}),
        ("grades", {"required_grades": {"total": 80}}),
        ("grades", {"required_grades": {}}),
        ("learning_path", {"steps": {}}),
        ("learning_path", {"steps": {CK: {"required_completion": 2}}}),
    ):
        with pytest.raises(RetrievalError, match=f"The options of {slug}: "):
            ask(slug, **options)
    assert not platform.sandbox.calls


@pytest.mark.parametrize("slug", ["completions", "grades", "completions_and_grades"])
def test_one_learner_alone(platform: Running, slug: str) -> None:
    good = {"completion": 1.0, "grades": [section("exam", 1.0)]}
    platform.sandbox.load(world(course(ann=good, bob=good, cid={**good, "is_active": False})))
    options: dict[str, Any] = {}
    if slug != "completions":
        options["required_grades"] = {"exam": 0.9}
    assert list(ask(slug, learner=11, **options)) == ["ann"]
    assert ask(slug, learner=13, **options) == {}  # no longer enrolled
    assert ask(slug, learner=99, **options) == {}  # nobody
    assert list(ask(slug, **options)) == ["ann", "bob"]


def test_the_number_of_calls_is_that_of_the_pages(platform: Running) -> None:
    platform.sandbox.world = World.of_many(950, eligible=95, course=CK)
    assert len(eligible(ask("completions"))) == 95
    assert platform.sandbox.calls == {"token": 1, "completion": 10, "accounts": 10}
    gradebook = {"token": 1, "policy": 1, "gradebook": 10}
    platform.sandbox.reset()
    assert len(eligible(ask("grades", required_grades={"total": 0.9}))) == 95
    assert platform.sandbox.calls == {**gradebook, "accounts": 10}
    platform.sandbox.reset()
    assert len(ask("grades", required_grades={"total": 0.99})) == 950
    assert platform.sandbox.calls == gradebook  # nobody needs an address


def test_usernames_in_other_scripts_fit_into_the_address(platform: Running) -> None:
    names = [f"Пользователь-{number:03}" for number in range(100)]
    platform.sandbox.load(
        {
            "people": [{"id": number, "username": name} for number, name in enumerate(names, 1)],
            "courses": [course(CK, **{name: {"completion": 1.0} for name in names})],
        }
    )
    assert eligible(ask("completions")) == set(names)
    assert platform.sandbox.calls["completion"] == 1
    assert platform.sandbox.calls["accounts"] == 3


def test_pages_are_asked_for_as_they_are_needed(platform: Running) -> None:
    platform.sandbox.world = World.of_many(950, eligible=95, course=CK)
    results = evaluate("completions", context_key=CK, options={})
    for _ in range(100):
        next(results)
    assert platform.sandbox.calls["completion"] == 1
    next(results)
    assert platform.sandbox.calls["completion"] == 2


def test_a_context_that_is_none(platform: Running) -> None:
    for key in ("P1", "block-v1:edX", ""):
        with pytest.raises(RetrievalError, match="no key of a course or of a block"):
            ask("completions", key)


def test_when_a_course_ends(platform: Running) -> None:
    platform.sandbox.load(world(course()))
    with platform_of_settings() as asked:
        found = asked.course(CK)
    assert (found.key, found.name) == (CK, "Proctoring for All")
    assert found.end == datetime.fromisoformat(END)


def test_the_log_names_nobody(platform: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    platform.sandbox.load(world(course(ann={"completion": 1.0, "grades": [section("hw", 1.0)]})))
    platform.sandbox.fault("status", api="accounts", status=503, retry_after="0", count=1)
    ask("completions", learner=11)
    ask("grades", required_grades={"hw": 1})
    ours = [str(each.msg) for each in caplog.records if each.name.startswith("certificates")]
    assert any("platform_answered" in each for each in ours)
    for secret in (*PEOPLE, "Academy", "secret-of-laurel"):
        assert not [each for each in ours if secret in each]
