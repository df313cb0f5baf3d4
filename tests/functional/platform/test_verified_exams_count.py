"""Who has passed the special exams of a course: asked of the ledger, as events have written it."""

from typing import Any

from pytest_django import DjangoAssertNumQueries

from exam_attempts.eligibility import verified_exams
from tests.functional.conftest import Service
from tests.functional.exam_stories import BOB, CK, PROF, UK, exam
from tests.functional.platform.academy import ask, eligible

OTHER = "block-v1:edX+P1+2024+type@sequential+block@midterm"


def tell(service: Service, *events: dict[str, Any]) -> None:
    service.publish(list(events))
    assert service.consume() == 0


def test_verified_exams(
    service: Service, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tell(
        service,
        exam("verified", 1),
        exam("verified", 2, usage_key=OTHER),
        exam("verified", 3, BOB),
        exam("rejected", 4, BOB, usage_key=OTHER),
        exam("verified", 5, PROF, kind="practice"),
    )
    with django_assert_num_queries(1):
        results = ask("verified_exams", CK)
    assert eligible(results) == {"ann"}
    ann, bob = results["ann"], results["bob"]
    assert (ann.lms_user_id, ann.email, ann.name) == (11, "ann@example.com", "Ann L")
    assert ann.details == {"exams": {UK: "verified", OTHER: "verified"}, "unmet": []}
    assert bob.details["unmet"] == [OTHER]
    assert "prof" not in results  # only sat an exam to practise

    assert eligible(ask("verified_exams", CK, exams=[UK])) == {"ann", "bob"}
    assert eligible(ask("verified_exams", CK, exams=[UK, "never sat"])) == set()
    assert eligible(ask("verified_exams", UK)) == {"ann", "bob"}
    assert eligible(ask("verified_exams", UK, exams=[OTHER])) == {"ann", "bob"}  # the lesson counts
    practised = ask("verified_exams", CK, exam_types=["practice"])
    assert (eligible(practised), set(practised)) == ({"prof"}, {"prof"})
    one = verified_exams(CK, {"exams": [], "exam_types": ["proctored"]}, learner=11)
    assert [lms_user_id for lms_user_id, _ in one] == [11]
    assert ask("verified_exams", "course-v1:edX+P2+2024") == {}

    tell(service, exam("reset", 6, requested_by=PROF))
    assert eligible(ask("verified_exams", UK)) == {"bob"}
