import pytest

from events.registry import SubscriptionRefusedError, faults, subscribe, subscriptions

VERIFIED = "org.openedx.learning.exam.attempt.verified.v1"
PASSING = "org.openedx.learning.course.passing.status.updated.v1"


def test_the_only_person_is_the_learner() -> None:
    assert subscribe(PASSING).learner_path == "course_passing_status.user"


def test_where_the_payload_is_the_person() -> None:
    registered = "org.openedx.learning.student.registration.completed.v1"
    assert subscribe(registered).learner_path == "user"


@pytest.mark.parametrize(
    ("event_type", "path"),
    [
        (VERIFIED, "exam_attempt.student_user"),
        ("org.openedx.learning.course.enrollment.created.v1", "enrollment.user"),
    ],
)
def test_known_ambiguous_events(event_type: str, path: str) -> None:
    assert subscribe(event_type).learner_path == path


def test_another_path_can_be_named() -> None:
    entry = {"type": VERIFIED, "learner": "exam_attempt.requesting_user"}
    assert subscribe(entry).learner_path == "exam_attempt.requesting_user"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("org.openedx.nothing.v1", "no public event"),
        ("org.openedx.content_authoring.course.created.v1", "about no learner"),
        ("org.openedx.learning.external_grader.score.submitted.v1", "no public event"),
        (
            {"type": VERIFIED, "learner": "exam_attempt.user"},
            "choose one of: exam_attempt.student_user, exam_attempt.requesting_user",
        ),
        ({"learner": "user"}, "no event entry"),
        (7, "no event entry"),
    ],
)
def test_what_cannot_work_is_refused(entry: object, said: str) -> None:
    with pytest.raises(SubscriptionRefusedError, match=said):
        subscribe(entry)


def test_every_fault_is_told_at_once() -> None:
    assert len(faults(["nope", PASSING, PASSING, 7])) == 3


def test_the_shipped_list_works() -> None:
    assert len(subscriptions()) == 23
