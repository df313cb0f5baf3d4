"""What all fault tests play: four badges that are awarded, lost and awarded again, and 5,000 events
about a hundred learners, some late, one in ten delivered twice.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import attrs
from edx_event_bus_redis.internal.message import RedisMessage
from opaque_keys.edx.keys import CourseKey
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import (
    CourseData,
    CoursePassingStatusData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED
from openedx_events.tooling import EventsMetadata

from tests.functional.stories import ACME, PASSING, course, document
from tests.reference import Badge, Happening, Rule

START: Final = datetime(2026, 3, 1, 10, tzinfo=UTC)
EVENTS: Final = 5_000
TWICE: Final = 500
LEARNERS: Final = range(1_000, 1_100)
COURSES: Final = range(1, 7)

Fields = dict[bytes, bytes]


@attrs.frozen
class Move:
    """A learner passes or fails a course."""

    id: UUID
    learner: int
    course: int
    passing: bool
    at: datetime


@attrs.frozen(eq=False)
class Told:
    """A template: `courses` says which course each requirement waits for (None: any),
    `failures` which failed course each penalty does.
    """

    uuid: str
    badge: Badge
    courses: Mapping[str, int | None]
    failures: Mapping[str, int]
    reissue: bool = True

    def happening(self, move: Move) -> Happening:
        met = [key for key, wanted in self.courses.items() if wanted in {None, move.course}]
        broken = [name for name, failed in self.failures.items() if failed == move.course]
        return Happening(
            id=move.id,
            at=move.at,
            requirements=dict.fromkeys(met if move.passing else (), str(move.course)),
            penalties=() if move.passing else tuple(broken),
        )

    def document(self) -> dict[str, Any]:
        """As an import file has it."""
        return {
            "uuid": self.uuid,
            "name": self.uuid[:8],
            "organization": ACME,
            "providers": ["credly"],
            "is_active": True,
            "reissue": "allowed" if self.reissue else "never",
            "groups": {label: {"required": n} for label, n in self.badge.groups.items()},
            "requirements": [
                {
                    "id": rule.key,
                    "event_type": PASSING,
                    "group": rule.group,
                    "count": rule.count,
                    "distinct_by": "course.course_key" if rule.distinct else "",
                    "after": list(rule.after),
                    "rules": _rules(self.courses[rule.key], passing="true"),
                }
                for rule in self.badge.rules
            ],
            "penalties": [
                {
                    "id": name,
                    "event_type": PASSING,
                    "resets": list(resets),
                    "rules": _rules(self.failures[name], passing="false"),
                }
                for name, resets in self.badge.penalties.items()
            ],
        }


def _rules(number: int | None, *, passing: str) -> list[dict[str, str]]:
    rules = [{"path": "is_passing", "operator": "eq", "value": passing}]
    if number is not None:
        rules.append({"path": "course.course_key", "operator": "eq", "value": course(number)})
    return rules


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"faults/{name}"))


TEMPLATES: Final = (
    Told(
        _uuid("two courses, again and again"),
        Badge((Rule("one", "A"), Rule("two", "B")), {"A": 1, "B": 1}, {"failed": ("one",)}),
        courses={"one": 1, "two": 2},
        failures={"failed": 1},
    ),
    Told(
        _uuid("lost once, lost for ever"),
        Badge((Rule("three", "A"),), {"A": 1}, {"failed": ("three",)}),
        courses={"three": 3},
        failures={"failed": 3},
        reissue=False,
    ),
    Told(
        _uuid("three different courses"),
        Badge((Rule("any", "A", count=3, distinct=True),), {"A": 1}, {"failed": ("any",)}),
        courses={"any": None},
        failures={"failed": 4},
    ),
    Told(
        _uuid("one of two, then another"),
        Badge(
            (Rule("four", "A"), Rule("five", "A"), Rule("six", "B", after=("five",))),
            {"A": 1, "B": 1},
            {"failed": ("four", "five"), "also": ("six",)},
        ),
        courses={"four": 4, "five": 5, "six": 6},
        failures={"failed": 5, "also": 6},
    ),
)


def definitions() -> dict[str, Any]:
    return document(*(each.document() for each in TEMPLATES))


@cache
def moves() -> tuple[Move, ...]:
    """Each once, in the order of their first delivery; one in ten happened earlier than that."""
    dice = random.Random("academy")
    return tuple(
        Move(
            id=UUID(int=dice.getrandbits(128), version=4),
            learner=dice.choice(LEARNERS),
            course=dice.choice(COURSES),
            passing=dice.random() < 0.7,
            at=START + timedelta(minutes=number - (dice.randrange(2_000) if late == 0 else 0)),
        )
        for number in range(EVENTS)
        for late in [dice.randrange(10)]
    )


@cache
def stream() -> tuple[Fields, ...]:
    """All messages in the order of delivery: `moves`, some of them once more, later."""
    dice = random.Random("duplicates")
    messages = [message(each) for each in moves()]
    places = [(float(number), each) for number, each in enumerate(messages)]
    places += [
        (number + dice.choice([0.5, 7.5, 900.5]), messages[number])
        for number in dice.sample(range(EVENTS), TWICE)
    ]
    return tuple(each for _, each in sorted(places, key=lambda place: place[0]))


def message(move: Move, *, course_key: str | None = None, display_name: str = "A course") -> Fields:
    """As the platform writes it."""
    name = f"learner{move.learner}"
    payload = CoursePassingStatusData(
        is_passing=move.passing,
        course=CourseData(
            course_key=CourseKey.from_string(course_key or course(move.course)),
            display_name=display_name,
        ),
        user=UserData(
            id=move.learner,
            is_active=True,
            pii=UserPersonalData(username=name, email=f"{name}@example.com", name=name.title()),
        ),
    )
    written = RedisMessage(
        topic="",
        event_data=serialize_event_data_to_bytes(
            {"course_passing_status": payload}, COURSE_PASSING_STATUS_UPDATED
        ),
        event_metadata=EventsMetadata(
            event_type=PASSING,
            minorversion=0,
            id=move.id,
            time=move.at,
            source="openedx/lms/web",
            sourcehost="lms.example.com",
        ),
    )
    return dict(written.to_binary_dict())


def happenings(told: Told, delivered: Sequence[Move]) -> Iterator[Happening]:
    """Of one learner; what neither meets nor breaks anything is left out."""
    for each in map(told.happening, delivered):
        if each.requirements or each.penalties:
            yield each
