"""What the sandbox's platform holds: courses, and who does how well in them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, overload

import attrs

Document = Mapping[str, Any]


@attrs.frozen
class Person:
    id: int
    username: str
    email: str = ""
    name: str = ""


@attrs.frozen
class Enrollment:
    """One learner in one course. Completion, blocks and grades are given out as they are, odd
    values too: `blocks` is completion by usage key, `grades` the sections of the gradebook, each
    with `category`, `percent` and, if it matters, `module_id`.
    """

    person: Person
    mode: str = "audit"
    is_active: bool = True
    completion: Any = 0.0
    blocks: Mapping[str, Any] = attrs.field(factory=dict)
    grades: Any = ()


@attrs.frozen
class Course:
    """`policy`: assignment_type, count, dropped and weight of each category."""

    id: str
    name: str = ""
    start: str | None = None
    end: str | None = None
    policy: Sequence[Document] = ()
    enrollments: Sequence[Enrollment] = ()

    def enrollment(self, username: str) -> Enrollment | None:
        if isinstance(self.enrollments, Generated):
            return self.enrollments.of(username)
        return next((each for each in self.enrollments if each.person.username == username), None)


class WorldError(ValueError):
    """The data makes no world; the message says where."""


@attrs.frozen
class World:
    courses: Mapping[str, Course] = attrs.field(factory=dict)
    people: Mapping[str, Person] = attrs.field(factory=dict)
    generated: "Generated | None" = None

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """`{"people": [{id, username, ...}], "courses": [{id, ..., "enrollments": [{username,
        ...}]}]}` with the fields of the classes above. Raises WorldError.
        """
        document = _known(document, {"people", "courses"}, where="the world")
        people = {
            person.username: person
            for person in (
                _made(Person, each, where="people") for each in document.get("people", [])
            )
        }
        courses: dict[str, Course] = {}
        for each in document.get("courses", []):
            fields = dict(_known(each, set(attrs.fields_dict(Course)), where="courses"))
            fields["enrollments"] = [
                _enrolled(one, people=people, where=f"enrollments of {fields.get('id')}")
                for one in fields.get("enrollments", [])
            ]
            course = _made(Course, fields, where="courses")
            courses[course.id] = course
        return cls(courses=courses, people=people)

    @classmethod
    def of_many(cls, learners: int, *, eligible: int, course: str) -> Self:
        """One course in which so many learners have done nearly everything, spread evenly."""
        generated = Generated(learners, eligible=eligible, course=course)
        made = Course(course, name="Generated", policy=POLICY, enrollments=generated)
        return cls(courses={course: made}, generated=generated)

    def person(self, username: str) -> Person | None:
        if self.generated is not None:
            enrollment = self.generated.of(username)
            return enrollment.person if enrollment else None
        return self.people.get(username)

    def person_of(self, lms_user_id: int) -> Person | None:
        if self.generated is not None:
            number = lms_user_id - FIRST_ID
            return self.generated[number].person if 0 <= number < len(self.generated) else None
        return next((each for each in self.people.values() if each.id == lms_user_id), None)


def _enrolled(document: Any, *, people: Mapping[str, Person], where: str) -> Enrollment:
    known = set(attrs.fields_dict(Enrollment)) - {"person"} | {"username"}
    fields = dict(_known(document, known, where=where))
    username = fields.pop("username", None)
    if username not in people:
        raise WorldError(f"{where}: {username!r} is none of the people")
    return Enrollment(person=people[username], **fields)


def _made(kind: Any, document: Any, *, where: str) -> Any:
    fields = _known(document, set(attrs.fields_dict(kind)), where=where)
    try:
        return kind(**fields)
    except TypeError as error:
        raise WorldError(f"{where}: {error}") from error


def _known(document: Any, known: set[str], *, where: str) -> Document:
    if not isinstance(document, dict):
        raise WorldError(f"{where}: an object is expected")
    if unknown := sorted(set(document) - known):
        raise WorldError(f"{where}: {', '.join(unknown)} not known, known: {', '.join(known)}")
    return document


# Made up, learner by learner, when one is asked for

FIRST_ID: Final = 1001
POLICY: Final[Sequence[Document]] = (
    {"assignment_type": "Homework", "count": 3, "dropped": 1, "weight": 0.3},
    {"assignment_type": "Exam", "count": 1, "dropped": 0, "weight": 0.7},
)
_NAME: Final = re.compile(r"learner-(\d{6,9})")


class Generated(Sequence[Enrollment]):
    """Nothing is kept: 50,000 learners are there at once and cost no memory."""

    def __init__(self, learners: int, *, eligible: int, course: str) -> None:
        self._learners = learners
        self._eligible = eligible
        self._blocks = course.replace("course-v1:", "block-v1:", 1) + "+type@sequential+block@"

    def __len__(self) -> int:
        return self._learners

    @overload
    def __getitem__(self, index: int) -> Enrollment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Enrollment]: ...
    def __getitem__(self, index: int | slice) -> Enrollment | Sequence[Enrollment]:
        numbers = range(self._learners)[index]
        if isinstance(numbers, range):
            return [self._made(number) for number in numbers]
        return self._made(numbers)

    def of(self, username: str) -> Enrollment | None:
        found = _NAME.fullmatch(username)
        number = int(found[1]) if found else self._learners
        return self._made(number) if number < self._learners else None

    def _made(self, number: int) -> Enrollment:
        count, before = (number + 1) * self._eligible, number * self._eligible
        good = count // self._learners > before // self._learners
        percent = 0.95 if good else round(number % 80 / 100, 2)
        username = f"learner-{number:06}"
        return Enrollment(
            Person(
                FIRST_ID + number, username, f"{username}@example.com", f"Learner {number} of many"
            ),
            completion=percent,
            blocks={f"{self._blocks}{name}": percent for name in ("final", "hw1")},
            grades=[
                {"category": category, "module_id": f"{self._blocks}{name}", "percent": percent}
                for name, category in (
                    ("hw1", "Homework"),
                    ("hw2", "Homework"),
                    ("hw3", "Homework"),
                    ("final", "Exam"),
                )
            ],
        )
