"""What happens to each learner of the demo: endings from tables, dealt out by a random generator.

Plain data, so that a reader can check it: no event class and no rule of the service is used.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

COURSES: Final = "learning-badges-lifecycle"
EXAMS: Final = "learning-exam-attempt-lifecycle"
TERM: Final = datetime(2026, 3, 2, tzinfo=UTC)
MIDTERM: Final = 50  # day; grades are corrected after it

_PASSING: Final = "org.openedx.learning.course.passing.status.updated.v1"
_EXAM: Final = "org.openedx.learning.exam.attempt.{}.v1"
_ENROLLED: Final = "org.openedx.learning.course.enrollment.created.v1"
_REGISTERED: Final = "org.openedx.learning.student.registration.completed.v1"
_LOGIN: Final = "org.openedx.learning.auth.session.login.completed.v1"
_COHORT: Final = "org.openedx.learning.cohort_membership.changed.v1"

_FIRST: Final = (
    *("Ann", "Bob", "Chen", "Dara", "Elif", "Femi", "Gita", "Hugo", "Ines", "Jamal"),
    *("Kaja", "Liam", "Mina", "Noor", "Omar", "Pia", "Ravi", "Sara", "Tomas", "Yuki"),
)
_LAST: Final = (
    *("Abara", "Berg", "Costa", "Diaz", "Eklund", "Fofana", "Gupta", "Haddad"),
    *("Ito", "Jensen", "Kaya", "Lee", "Moreau", "Novak", "Okafor"),
)
LEARNERS: Final = len(_FIRST) * len(_LAST)
_FIRST_ID: Final = 1000
_USERNAME_MISSING_EVERY: Final = 40  # such a learner is known by the LMS id alone

PROF: Final = {
    "id": 9001,
    "is_active": True,
    "pii": {"username": "prof", "email": "prof@example.com", "name": "Pat Prof"},
}


@attrs.frozen
class Act:
    """One event. Days count from the start of the term; `delivered` is later than `day` for an
    event that the bus brings late.
    """

    day: float
    delivered: float
    topic: str
    event_type: str
    data: Mapping[str, Any]

    @property
    def time(self) -> datetime:
        return TERM + timedelta(minutes=round(self.day * 1440))


# Day, passing, day of delivery when that is later.
Step = tuple[float, bool] | tuple[float, bool, float]

_PASSES: Final[Sequence[Step]] = [(20, True)]
_FAILS: Final[Sequence[Step]] = [(20, False)]
_PLAIN_ENDINGS: Final[Sequence[tuple[int, Sequence[Step]]]] = [  # share, steps
    (3, _PASSES),
    (4, _FAILS),
    (4, [(15, False), (25, False), (35, False)]),
    (2, [(15, False), (25, True)]),
    (1, [(15, True), (25, True)]),  # the badge is there already
    (1, [(20, True, 62)]),
]
_STATISTICS_ENDINGS: Final[Sequence[tuple[int, Sequence[Step]]]] = [
    (4, _PASSES),
    (5, _FAILS),
    (4, [(15, False), (25, False), (35, True)]),
    (4, [(20, True), (60, False)]),  # revoked
    (3, [(20, True), (60, False), (70, True)]),  # revoked, and not awarded again
    (2, [(20, True), (20.5, False)]),  # revoked within hours
    (2, [(25, True), (15, False, 60)]),  # an older failure comes late: the badge stays
    (2, [(25, False), (15, True, 60)]),  # an older pass comes late: no badge
    (1, [(20, True), (20, False, 60)]),  # at the same moment the failure wins
    (1, [(20, True), (60, False), (40, True, 65)]),  # a pass from before the failure: stale
]

# Day, what happened, day of delivery when that is later.
Attempt = tuple[float, str] | tuple[float, str, float]

_EXAM_ENDINGS: Final[Sequence[tuple[int, str, Sequence[Attempt]]]] = [  # share, exam type, steps
    (4, "proctored", [(30, "submitted"), (33, "verified")]),
    (1, "onsite", [(30, "submitted"), (33, "verified")]),
    (7, "proctored", [(30, "submitted"), (33, "rejected")]),
    (2, "proctored", [(30, "submitted"), (31, "errored")]),
    (2, "timed", [(30, "submitted"), (33, "verified")]),  # not supervised
    (3, "proctored", [(33, "verified"), (63, "reset")]),  # revoked
    (3, "proctored", [(33, "verified"), (63, "reset"), (72, "verified")]),  # blocked
    (2, "proctored", [(30, "rejected"), (35, "reset"), (45, "verified")]),
    (1, "proctored", [(33, "verified"), (28, "reset", 61)]),  # an old reset: the badge stays
    (1, "proctored", [(63, "reset"), (33, "verified", 66)]),  # an old success: no badge
]


def story(number: int, *, rng: random.Random) -> Iterator[Act]:
    """Everything that happens to learner `number` (0 to LEARNERS - 1), in no particular order."""
    user = learner(number)
    minute = rng.random()  # of the day: learners differ, the events of one keep their distances
    yield _at(minute, _REGISTERED, {"user": user})
    for day in rng.sample(range(1, 90), rng.randint(1, 2)):
        yield _at(day + minute, _LOGIN, {"user": user})
    if rng.random() < 0.25:
        cohort = {"user": user, "course": _course("D101"), "name": rng.choice(["blue", "green"])}
        yield _at(2 + minute, _COHORT, {"cohort": cohort})
    for course in _curriculum(rng):
        yield from _studies(user, course, _PLAIN_ENDINGS, minute=minute, rng=rng)
    if rng.random() < 0.4:
        yield from _studies(user, "S301", _STATISTICS_ENDINGS, minute=minute, rng=rng)
    if rng.random() < 0.3:
        yield from _sits_exam(user, minute=minute, rng=rng)


def _curriculum(rng: random.Random) -> Iterator[str]:
    """Who takes the introduction to data often takes its second part too."""
    introduced = rng.random() < 0.35
    if introduced:
        yield "D101"
    if rng.random() < (0.7 if introduced else 0.1):
        yield "D102"
    for course in ("P201", "P202"):
        if rng.random() < 0.12:
            yield course


def learner(number: int) -> dict[str, Any]:
    """The `UserData` of one learner; the e-mail address is unique."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST)]
    username = f"{first}.{last}".lower()
    named = number % _USERNAME_MISSING_EVERY != _USERNAME_MISSING_EVERY - 1
    return {
        "id": _FIRST_ID + number,
        "is_active": True,
        "pii": {
            "username": username if named else "",
            "email": f"{username}@example.com",
            "name": f"{first} {last}" if named else "",
        },
    }


def _studies(
    user: Mapping[str, Any],
    course: str,
    endings: Sequence[tuple[int, Sequence[Step]]],
    *,
    minute: float,
    rng: random.Random,
) -> Iterator[Act]:
    enrollment = {
        "user": user,
        "course": _course(course),
        "mode": "verified",
        "is_active": True,
        "creation_date": (TERM + timedelta(days=3)).isoformat(),
        "created_by": rng.choice([None, PROF]),
    }
    yield _at(3 + minute, _ENROLLED, {"enrollment": enrollment})
    ((_, steps),) = rng.choices(endings, weights=[each[0] for each in endings])
    for day, passing, *late in steps:
        status = {"is_passing": passing, "course": _course(course), "user": user}
        delivered = late[0] + minute if late else None
        yield _at(day + minute, _PASSING, {"course_passing_status": status}, delivered=delivered)


def _sits_exam(user: Mapping[str, Any], *, minute: float, rng: random.Random) -> Iterator[Act]:
    ((_, kind, steps),) = rng.choices(_EXAM_ENDINGS, weights=[each[0] for each in _EXAM_ENDINGS])
    for day, verb, *late in steps:
        attempt = {
            "student_user": user,
            "course_key": "course-v1:Acme+S301+2026",
            "usage_key": "block-v1:Acme+S301+2026+type@sequential+block@final",
            "exam_type": kind,
            # Who reset or reviewed it is no learner.
            "requesting_user": None if verb == "submitted" else PROF,
        }
        yield _at(
            day + minute,
            _EXAM.format(verb),
            {"exam_attempt": attempt},
            topic=EXAMS,
            delivered=late[0] + minute if late else None,
        )


def _at(
    day: float,
    event_type: str,
    data: Mapping[str, Any],
    *,
    topic: str = COURSES,
    delivered: float | None = None,
) -> Act:
    return Act(day, day if delivered is None else delivered, topic, event_type, data)


def _course(name: str) -> dict[str, Any]:
    return {"course_key": f"course-v1:Acme+{name}+2026", "display_name": name}
