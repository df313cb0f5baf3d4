"""What the platform's REST APIs answer, read into types: pure.

Two kinds of wrong: an answer that is not what the API gives raises MalformedAnswer; a single value
that makes no sense for one learner becomes the `fault` of that learner.

Sources, all of the LMS unless said otherwise:
`/api/courses/v1/courses/{key}/`, `/api/grades/v1/policy/courses/{key}/`,
`/api/grades/v1/gradebook/{key}/`, `/api/user/v1/accounts`, `/api/enrollment/v1/enrollments`, and
`/api/completion/v1/course/{key}/` of the plugin openedx-completion-aggregator.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import attrs

from certificates.platform.errors import MalformedAnswer

Query = Mapping[str, str]


@attrs.frozen
class Page:
    """`next`: what to add to the query for the next page; None: this is the last."""

    results: Sequence[Any]
    next: Query | None


@attrs.frozen
class Course:
    key: str
    name: str
    start: datetime | None = None
    end: datetime | None = None


@attrs.frozen
class Category:
    """A kind of assignment in a grading policy. `count`: how many there are at least, `dropped`:
    how many of the lowest do not count, `weight`: its share of the total.
    """

    name: str
    count: int
    dropped: int
    weight: float


@attrs.frozen
class Account:
    """`email` and `name` are blank where the API does not tell them."""

    lms_user_id: int
    username: str
    email: str = ""
    name: str = ""


@attrs.frozen
class Section:
    """A graded subsection of a course, as one learner did it. `percent`: 1 is everything."""

    usage_key: str
    category: str
    percent: float


@attrs.frozen
class Grades:
    account: Account
    sections: Sequence[Section] = ()
    fault: str = ""


@attrs.frozen
class Completion:
    """`ratio`: of the course or of the block that was asked for, 1 is everything."""

    username: str
    ratio: float = 0.0
    fault: str = ""


@attrs.frozen
class Enrollment:
    username: str
    mode: str
    is_active: bool


class _OddError(ValueError):
    """A value of one learner that makes no sense."""


_PAGE_KEYS: Final[Sequence[str]] = ("cursor", "page")


def page(document: Any) -> Page:
    """Of any list of the platform: by cursor or by number, told at the top or in `pagination`."""
    document = _object(document, what="the page")
    results = document.get("results")
    if not isinstance(results, list):
        raise MalformedAnswer("the page has no list of results")
    told = document.get("pagination", document)
    following = _object(told, what="pagination").get("next")
    if following is None:
        return Page(results, None)
    if not isinstance(following, str):
        raise MalformedAnswer("the address of the next page is no text")
    # Only this is taken over: the address may name another host or lack the filter.
    query = parse_qs(urlsplit(following).query)
    found: dict[str, str] = {key: query[key][0] for key in _PAGE_KEYS if key in query}
    if not found:
        raise MalformedAnswer("the address of the next page has neither cursor nor page")
    return Page(results, found)


def course(document: Any) -> Course:
    document = _object(document, what="the course")
    return Course(
        key=_text(document, "course_id" if "course_id" in document else "id"),
        name=_text(document, "name"),
        start=_moment(document.get("start"), name="start"),
        end=_moment(document.get("end"), name="end"),
    )


def policy(document: Any) -> Sequence[Category]:
    if not isinstance(document, list):
        raise MalformedAnswer("the grading policy is no list")
    entries = [_object(each, what="the entry of a grading policy") for each in document]
    try:
        return [
            Category(
                name=_text(each, "assignment_type"),
                count=int(_number(each.get("count"), name="count")),
                dropped=int(_number(each.get("dropped"), name="dropped")),
                weight=_number(each.get("weight"), name="weight"),
            )
            for each in entries
        ]
    except _OddError as error:
        raise MalformedAnswer(f"the grading policy makes no sense: {error}") from error


def account(document: Any) -> Account:
    """Of an entry that has `id` and `name` (accounts) or `user_id` and `full_name` (gradebook)."""
    document = _object(document, what="the account")
    number = document.get("user_id", document.get("id"))
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise MalformedAnswer(
            "an account without id: the user of the OAuth client has to be staff to see it"
        )
    return Account(
        lms_user_id=number,
        username=_text(document, "username"),
        email=_optional(document.get("email")),
        name=_optional(document.get("full_name", document.get("name"))),
    )


def accounts(document: Any) -> Sequence[Account]:
    if not isinstance(document, list):
        raise MalformedAnswer("the accounts are no list")
    return [account(each) for each in document]


def grades(document: Any) -> Grades:
    """Of an entry of the gradebook."""
    who = account(document)
    try:
        return Grades(who, _sections(document.get("section_breakdown")))
    except _OddError as error:
        return Grades(who, fault=f"the gradebook makes no sense: {error}")


def _sections(breakdown: Any) -> Sequence[Section]:
    """Those that are graded: others have no category."""
    if not isinstance(breakdown, list):
        raise _OddError("section_breakdown is no list")
    found: list[Section] = []
    for each in breakdown:
        if not isinstance(each, dict):
            raise _OddError("a section is no object")
        category = each.get("category")
        if not category:
            continue
        if not isinstance(category, str):
            raise _OddError("the category of a section is no text")
        percent = _number(each.get("percent"), name="the percent of a section")
        found.append(Section(_optional(each.get("module_id")), category, percent))
    return found


def completion(document: Any, *, block: str = "", block_type: str = "") -> Completion:
    """Of the course, or of one block; the answer has a list of all blocks of its type. A block
    that is not listed is one that the learner did not begin.
    """
    document = _object(document, what="the completion")
    username = _text(document, "username")
    try:
        if not block:
            return Completion(username, _ratio(document))
        for each in _blocks(document.get(block_type)):
            if each.get("block_key") == block:
                return Completion(username, _ratio(each))
        return Completion(username)
    except _OddError as error:
        return Completion(username, fault=f"the completion makes no sense: {error}")


def _blocks(listed: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _OddError("the blocks are no list of objects")
    return listed


def _ratio(document: Mapping[str, Any]) -> float:
    told = document.get("completion")
    if not isinstance(told, dict):
        raise _OddError("completion is no object")
    percent = told.get("percent", told.get("ratio"))
    ratio = _number(percent, name="the percent of completion")
    if ratio > 1:
        raise _OddError("the percent of completion is above 1")
    return ratio


def enrollment(document: Any) -> Enrollment:
    document = _object(document, what="the enrollment")
    return Enrollment(
        username=_text(document, "user"),
        mode=_text(document, "mode"),
        is_active=document.get("is_active") is True,
    )


# Small shapes


def _object(value: Any, *, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedAnswer(f"{what} is no object")
    return value


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(f"{name} is missing or no text")
    return value


def _optional(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any, *, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _OddError(f"{name} is no number")
    if not math.isfinite(value) or value < 0:
        raise _OddError(f"{name} is below 0")
    return float(value)


def _moment(value: Any, *, name: str) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise MalformedAnswer(f"{name} is no time") from error
    if moment.tzinfo is None:
        raise MalformedAnswer(f"{name} has no time zone")
    return moment
