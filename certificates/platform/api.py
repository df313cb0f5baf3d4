"""What Laurel asks the platform, call by call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Final
from urllib.parse import quote

import attrs
from django.conf import settings

from certificates.platform import answers
from certificates.platform.answers import (
    Account,
    Category,
    Completion,
    Course,
    Enrollment,
    Grades,
)
from certificates.platform.client import Patience, PlatformClient
from certificates.platform.errors import NotConfigured, NotFound
from certificates.platform.transport import Query

PAGE_SIZE: Final = 100
"""The most that the completion API gives."""
_LONGEST_LIST: Final = 3_500  # bytes


@contextmanager
def platform() -> Iterator["Platform"]:
    """The platform of the settings. Raises NotConfigured."""
    if not settings.PLATFORM_API_BASE_URL:
        raise NotConfigured("PLATFORM_API_BASE_URL is not set")
    with PlatformClient(
        settings.PLATFORM_API_BASE_URL,
        client_id=settings.PLATFORM_API_CLIENT_ID,
        client_secret=settings.PLATFORM_API_CLIENT_SECRET,
        patience=Patience(seconds=settings.PLATFORM_API_TIMEOUT),
    ) as client:
        yield Platform(client)


@attrs.frozen
class Platform:
    """Every call raises PlatformError. Lists come page by page, a page is one call."""

    client: PlatformClient

    def course(self, course_key: str) -> Course:
        path = f"api/courses/v1/courses/{_part(course_key)}/"
        return self.client.get(path, read=answers.course)

    def grading_policy(self, course_key: str) -> Sequence[Category]:
        path = f"api/grades/v1/policy/courses/{_part(course_key)}/"
        return self.client.get(path, read=answers.policy)

    def gradebook(self, course_key: str, *, username: str = "") -> Iterator[Sequence[Grades]]:
        """Of everybody who is actively enrolled, or of one, if this one is."""
        path = f"api/grades/v1/gradebook/{_part(course_key)}/"
        if not username:
            yield from self.client.pages(path, query={"page_size": PAGE_SIZE}, read=answers.grades)
            return
        # One learner's answer is the entry itself.
        with suppress(NotFound):
            yield [self.client.get(path, query={"username": username}, read=answers.grades)]

    def completions(
        self, course_key: str, *, block: str = "", block_type: str = "", username: str = ""
    ) -> Iterator[Sequence[Completion]]:
        """Of everybody who is actively enrolled, or of one, if this one is. With `block` also
        that of this block, which is of `block_type` (`chapter`, `sequential`, `vertical`).
        """
        query: dict[str, str | int] = {"page_size": PAGE_SIZE, "requested_fields": "username"}
        if block:
            # Its type can be asked for, and then all of this type come; `read` keeps this one.
            query["requested_fields"] = f"username,{block_type}"
        if username:
            query["username"] = username
        path = f"api/completion/v1/course/{_part(course_key)}/"
        read = partial(answers.completion, block=block, block_type=block_type)
        with suppress(NotFound) if username else nullcontext():
            yield from self.client.pages(path, query=query, read=read)

    def enrollments(self, course_key: str) -> Iterator[Sequence[Enrollment]]:
        """Of everybody who is or was enrolled. For retrievers of others."""
        query: Query = {"course_id": course_key, "page_size": PAGE_SIZE}
        path = "api/enrollment/v1/enrollments"
        yield from self.client.pages(path, query=query, read=answers.enrollment)

    def accounts(self, usernames: Iterable[str]) -> Mapping[str, Account]:
        """Those that exist, by username; for the usernames of a page it is one call, or a few."""
        return {
            each.username: each
            for together in _together(sorted(set(usernames)))
            for each in self._accounts({"username": ",".join(together)})
        }

    def account(self, lms_user_id: int) -> Account | None:
        found = self._accounts({"lms_user_id": str(lms_user_id)})
        return next((each for each in found if each.lms_user_id == lms_user_id), None)

    def _accounts(self, query: Mapping[str, str]) -> Sequence[Account]:
        try:
            return self.client.get("api/user/v1/accounts", query=query, read=answers.accounts)
        except NotFound:  # there is not one of them
            return ()


def _part(key: str) -> str:
    """One part of a path: what could end it early is escaped, `:` and `+` stay as they are."""
    return quote(key, safe=":+@")


def _together(usernames: Sequence[str]) -> Iterator[Sequence[str]]:
    """Parts that fit into an address: servers refuse more than 4 kB, and a letter of another
    script takes six to twelve bytes of it.
    """
    part: list[str] = []
    size = 0
    for username in usernames:
        more = len(quote(username, safe="")) + len("%2C")
        if part and size + more > _LONGEST_LIST:
            yield part
            part, size = [], 0
        part.append(username)
        size += more
    if part:
        yield part
