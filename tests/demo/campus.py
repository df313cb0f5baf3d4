"""The platform of the demo: who has completed how much of the statistics course, and what the
schedule that asks for it should find.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from tests.demo.reckoning import Line, RunCounts
from tests.demo.stories import MIDTERM, TERM
from tests.demo.stream import SEED, Stream

COURSE: Final = "course-v1:Acme+S301+2026"
REQUIRED: Final = 0.8
EVALUATED: Final = "org.laurel.credentials.eligibility.evaluated.v1"
_ENROLLED: Final = "org.openedx.learning.course.enrollment.created.v1"
_COMPLETIONS: Final = (0.2, 0.55, 0.79, 0.8, 0.93, 1.0)
_ODD: Final = "most of it"  # of one learner, who cannot be judged

Person = Mapping[str, Any]  # id, username, email and name, as the platform tells them


@attrs.frozen
class Campus:
    """`world`: the data of certificates.platform.sandbox; `eligible`: in the form of the stream's
    lines, as if the platform had told it by itself.
    """

    world: Mapping[str, Any]
    eligible: Sequence[Line]

    def expected_run(self, *, awarded: int) -> RunCounts:
        """The first run of the schedule, when it leads to so many badges."""
        (course,) = self.world["courses"]
        return RunCounts(
            evaluated=len(course["enrollments"]),
            eligible=len(self.eligible),
            awarded=awarded,
            skipped=0,
            failed=1,
        )


def make_campus(stream: Stream, *, seed: int = SEED) -> Campus:
    """The same stream and seed give the same campus."""
    rng = random.Random(seed)
    people = list(_students(stream))
    completions: list[Any] = [rng.choice(_COMPLETIONS) for _ in people]
    completions[rng.randrange(len(people))] = _ODD
    enrollments = [
        {"username": person["username"], "completion": completion}
        for person, completion in zip(people, completions, strict=True)
    ]
    return Campus(
        world={
            "people": people,
            "courses": [{"id": COURSE, "name": "Statistics", "enrollments": enrollments}],
        },
        eligible=[
            _line(person)
            for person, completion in zip(people, completions, strict=True)
            if completion != _ODD and completion >= REQUIRED
        ],
    )


def _students(stream: Stream) -> Iterator[Person]:
    """Everybody who enrolled, once. Of some the bus knows no name; the platform does."""
    seen = set()
    for delivery in stream.deliveries:
        if delivery.line["type"] != _ENROLLED:
            continue
        enrollment = delivery.line["data"]["enrollment"]
        user, pii = enrollment["user"], enrollment["user"]["pii"]
        if enrollment["course"]["course_key"] != COURSE or user["id"] in seen:
            continue
        seen.add(user["id"])
        username = pii["email"].partition("@")[0]
        name = username.replace(".", " ").title()
        yield {"id": user["id"], "username": username, "email": pii["email"], "name": name}


def _line(person: Person) -> Line:
    pii = {key: person[key] for key in ("username", "email", "name")}
    return {
        "id": f"eligible {person['id']}",
        "type": EVALUATED,
        # The schedule runs between the two parts; nothing resets what it finds.
        "time": (TERM + timedelta(days=MIDTERM)).isoformat(),
        "data": {
            "eligibility": {
                "user": {"id": person["id"], "is_active": True, "pii": pii},
                "context_key": COURSE,
                "is_eligible": True,
            }
        },
    }
