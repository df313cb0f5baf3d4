"""What the retrievers that ask the platform share."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from certificates.platform.answers import Account
from certificates.platform.api import Platform, platform
from certificates.platform.errors import PlatformError
from certificates.retrievers.base import Evaluated, RetrievalError

_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
REQUIRED_COMPLETION: Final[Mapping[str, Any]] = {
    **_SHARE,
    "default": 0.9,
    "title": "Required completion",
    "description": "Share of the course or lesson that has to be completed: 0.9 is 90 %.",
}
REQUIRED_GRADES: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Required grades",
    "description": "The least grade by type of assignment, and in total: 0.8 is 80 %. A lesson "
    "has a total only.",
    "properties": {"total": _SHARE},
    "additionalProperties": _SHARE,
    "minProperties": 1,
    "examples": [{"Homework": 0.4, "Final Exam": 0.9, "total": 0.8}],
}


@attrs.frozen
class Place:
    """A course, or a block of it. `block` is blank, or a usage key of `block_type`."""

    course_key: str
    block: str = ""
    block_type: str = ""


def place(context_key: str) -> Place:
    """Raises RetrievalError for what is neither the key of a course nor of a block."""
    try:
        if context_key.startswith("block-v1:"):
            usage_key = UsageKey.from_string(context_key)
            return Place(str(usage_key.course_key), str(usage_key), str(usage_key.block_type))
        return Place(str(CourseKey.from_string(context_key)))
    except InvalidKeyError as error:
        raise RetrievalError(f"{context_key!r} is no key of a course or of a block") from error


@contextmanager
def asking() -> Iterator[Platform]:
    """The platform; whatever it fails by is a RetrievalError."""
    try:
        with platform() as asked:
            yield asked
    except PlatformError as error:
        raise RetrievalError(f"The platform: {error}") from error


def username_of(learner: int | None, *, asked: Platform) -> str | None:
    """Blank: everybody is meant; None: nobody has this id."""
    if learner is None:
        return ""
    account = asked.account(learner)
    return account.username if account else None


def evaluated(
    account: Account, *, unmet: Sequence[str], details: Mapping[str, Any], fault: str = ""
) -> Evaluated:
    """`unmet`: what the learner lacks; it is told among the details. A fault tells all there is."""
    return Evaluated(
        account.lms_user_id,
        is_eligible=not unmet and not fault,
        details={} if fault else {**details, "unmet": list(unmet)},
        username=account.username,
        email=account.email,
        name=account.name,
        fault=fault,
    )


def addressed(page: Sequence[Evaluated], *, asked: Platform) -> Iterator[Evaluated]:
    """The gradebook tells hardly any e-mail address, and a badge is sent to one: those who are
    eligible are looked up, with one more call for a page.
    """
    lacking = {each.username for each in page if each.is_eligible and not each.email}
    accounts = asked.accounts(lacking) if lacking else {}
    for each in page:
        account = accounts.get(each.username)
        yield attrs.evolve(each, email=account.email) if account else each
