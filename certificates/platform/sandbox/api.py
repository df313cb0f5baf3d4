"""The platform's REST APIs over a world: a call goes in, a status and a document come out."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import attrs

from certificates.platform.sandbox.world import Course, Enrollment, Person, World

Query = Mapping[str, str]


@attrs.frozen(kw_only=True)
class Call:
    """`path` without slashes at its ends; `url`: where the sandbox is."""

    path: str
    query: Query
    url: str


@attrs.frozen
class Reply:
    status: int
    document: Any
    headers: Mapping[str, str] = attrs.field(factory=dict)


class _NothingError(LookupError):
    """404: what there is not."""


Handler = Callable[[World, Call, str], Reply]


def answer(world: World, call: Call) -> tuple[str, Reply]:
    """The name of the API, and what it answers."""
    for name, pattern, handler in _ROUTES:
        if found := re.fullmatch(pattern, call.path):
            try:
                return name, handler(world, call, found[1] if found.re.groups else "")
            except _NothingError as error:
                return name, Reply(HTTPStatus.NOT_FOUND, {"developer_message": str(error)})
    return "none", Reply(HTTPStatus.NOT_FOUND, {"detail": "Not found."})


def page_of(call: Call) -> int:
    """The number of the page that is asked for, from 1 on."""
    if "cursor" in call.query:
        return _offset(call.query["cursor"]) // _size(call, default=1) + 1
    return int(call.query.get("page", "1"))


def _course(world: World, key: str) -> Course:
    if key not in world.courses:
        raise _NothingError("The course does not exist.")
    return world.courses[key]


def _active(world: World, key: str, *, username: str) -> Sequence[Enrollment]:
    course = _course(world, key)
    if username:
        enrollment = course.enrollment(username)
        if enrollment is None or not enrollment.is_active:
            raise _NothingError("The user is not enrolled.")
        return [enrollment]
    if isinstance(course.enrollments, list):
        return [each for each in course.enrollments if each.is_active]
    return course.enrollments


# The APIs


def _details(world: World, _call: Call, key: str) -> Reply:
    course = _course(world, key)
    document = {
        "id": course.id,
        "course_id": course.id,
        "name": course.name,
        "start": course.start,
        "end": course.end,
        "pacing": "instructor",
    }
    return Reply(HTTPStatus.OK, document)


def _policy(world: World, _call: Call, key: str) -> Reply:
    return Reply(HTTPStatus.OK, list(_course(world, key).policy))


def _gradebook(world: World, call: Call, key: str) -> Reply:
    username = call.query.get("username", "")
    listed = _active(world, key, username=username)
    if username:
        return Reply(HTTPStatus.OK, _grades(listed[0]))
    page = _by_cursor(call, listed, default=50, show=_grades)
    counts = {"total_users_count": len(listed), "filtered_users_count": len(listed)}
    return Reply(HTTPStatus.OK, page | counts)


def _grades(enrollment: Enrollment) -> dict[str, Any]:
    person, sections = enrollment.person, enrollment.grades
    return {
        "user_id": person.id,
        "username": person.username,
        "full_name": person.name,
        # The platform tells it only for learners of a master's track.
        "email": "",
        "percent": 0.0,
        "section_breakdown": [_section(each) for each in sections]
        if isinstance(sections, list | tuple)
        else sections,
    }


def _section(section: Any) -> Any:
    if not isinstance(section, dict):
        return section
    return {
        "attempted": True,
        "label": "",
        "module_id": "",
        "score_earned": 0.0,
        "score_possible": 0.0,
        "subsection_name": "",
        **section,
    }


def _completion(world: World, call: Call, key: str) -> Reply:
    listed = _active(world, key, username=call.query.get("username", ""))
    fields = call.query.get("requested_fields", "").split(",")
    size = min(_size(call, default=10), 100)
    number = page_of(call)
    pages = max(-(-len(listed) // size), 1)
    if not 1 <= number <= pages:
        raise _NothingError("Invalid page.")
    results = [
        _completed(each, course=key, fields=fields)
        for each in listed[(number - 1) * size : number * size]
    ]
    pagination = {
        "next": _address(call, page=str(number + 1)) if number < pages else None,
        "previous": _address(call, page=str(number - 1)) if number > 1 else None,
        "count": len(listed),
        "num_pages": pages,
    }
    return Reply(HTTPStatus.OK, {"pagination": pagination, "results": results})


def _completed(enrollment: Enrollment, *, course: str, fields: Sequence[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"course_key": course, "completion": _ratio(enrollment.completion)}
    if "username" in fields:
        shown["username"] = enrollment.person.username
    for kind in ("chapter", "sequential", "vertical"):
        if kind in fields:
            shown[kind] = [
                {"course_key": course, "block_key": key, "completion": _ratio(ratio)}
                for key, ratio in enrollment.blocks.items()
                if f"type@{kind}+" in key
            ]
    return shown


def _ratio(ratio: Any) -> dict[str, Any]:
    return {"earned": ratio, "possible": 1.0, "percent": ratio}


def _accounts(world: World, call: Call, _key: str) -> Reply:
    if "lms_user_id" in call.query:
        people = [world.person_of(int(call.query["lms_user_id"]))]
    else:
        people = [world.person(each) for each in call.query.get("username", "").split(",")]
    found = [_account(each) for each in people if each is not None]
    if not found:
        raise _NothingError("No such user.")
    return Reply(HTTPStatus.OK, found)


def _account(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "username": person.username,
        "email": person.email,
        "name": person.name,
        "is_active": True,
    }


def _enrollments(world: World, call: Call, _key: str) -> Reply:
    key = call.query.get("course_id", "")
    listed = world.courses[key].enrollments if key in world.courses else []

    def shown(enrollment: Enrollment) -> dict[str, Any]:
        return {
            "created": "2026-01-01T00:00:00Z",
            "mode": enrollment.mode,
            "is_active": enrollment.is_active,
            "user": enrollment.person.username,
            "course_id": key,
        }

    return Reply(HTTPStatus.OK, _by_cursor(call, listed, default=100, show=shown))


# Pages


def _by_cursor(
    call: Call,
    listed: Sequence[Enrollment],
    *,
    default: int,
    show: Callable[[Enrollment], dict[str, Any]],
) -> dict[str, Any]:
    size = _size(call, default=default)
    start = _offset(call.query.get("cursor", ""))
    end = start + size
    return {
        "next": _address(call, cursor=_cursor(end)) if end < len(listed) else None,
        "previous": _address(call, cursor=_cursor(max(start - size, 0))) if start else None,
        "results": [show(each) for each in listed[start:end]],
    }


def _size(call: Call, *, default: int) -> int:
    return max(int(call.query.get("page_size", default)), 1)


def _cursor(offset: int) -> str:
    return base64.b64encode(f"p={offset}".encode()).decode()


def _offset(cursor: str) -> int:
    return int(base64.b64decode(cursor).decode().removeprefix("p=") or 0)


def _address(call: Call, **changed: str) -> str:
    return f"{call.url}/{call.path}/?{urlencode({**call.query, **changed})}"


_KEY: Final = r"([^/]+)"
_ROUTES: Final[Sequence[tuple[str, str, Handler]]] = (
    ("course", f"api/courses/v1/courses/{_KEY}", _details),
    ("policy", f"api/grades/v1/policy/courses/{_KEY}", _policy),
    ("gradebook", f"api/grades/v1/gradebook/{_KEY}", _gradebook),
    ("completion", f"api/completion/v1/course/{_KEY}", _completion),
    ("accounts", "api/user/v1/accounts", _accounts),
    ("enrollments", "api/enrollment/v1/enrollments", _enrollments),
)
