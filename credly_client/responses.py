"""Reads answers, pure: status, headers and body become a value or an error of the tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Never, TypeVar
from uuid import UUID

import attrs

from credly_client.errors import (
    CredlyError,
    DuplicateBadge,
    FieldError,
    Forbidden,
    MalformedAnswer,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Redirected,
    Refused,
    ServerError,
    Unauthorized,
    ValidationFailed,
)
from credly_client.requests import Request
from credly_client.shapes import mapping, required
from credly_client.types import Page

T = TypeVar("T")

DEFAULT_RATE_LIMIT_WAIT = 60.0
"""Seconds. Credly publishes no limits; a whole minute reaches the next window of one."""
LONGEST_WAIT = 24 * 3600.0
DUPLICATE = "already has this badge"


@attrs.frozen(kw_only=True)
class Answer:
    """What came back. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)


def one(answer: Answer, *, request: Request, parse: Callable[[object], T]) -> T:
    """`{"data": {...}}` -> what `parse` makes of the object."""

    def read(document: object) -> T:
        return parse(required(mapping(document, name="answer"), "data", mapping))

    return _read(answer, request=request, read=read)


def page(answer: Answer, *, request: Request, parse: Callable[[object], T]) -> Page[T]:
    """`{"data": [...], "metadata": {...}}` -> a page of what `parse` makes of each item."""

    def read(document: object) -> Page[T]:
        return Page.from_document(document, parse=parse)

    return _read(answer, request=request, read=read)


def _read(answer: Answer, *, request: Request, read: Callable[[object], T]) -> T:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        _raise(answer, request=request)
    try:
        return read(_decode(answer))
    except MalformedAnswer as error:
        message = f"{request}: {answer.status}, {error}"
        if request.changes:
            raise OutcomeUnknown(message, status=answer.status) from error
        raise MalformedAnswer(message, status=answer.status) from error


def _decode(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        kind = answer.headers.get("content-type", "no content type")
        raise MalformedAnswer(f"not JSON ({kind}, {len(answer.body)} bytes)") from error


def _raise(answer: Answer, *, request: Request) -> Never:
    status = answer.status
    said = _complaint(answer)
    summary = f"{request}: {status}" + (f", {said.message}" if said.message else "")
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        raise _validation_error(said, summary=summary)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = _retry_after(answer.headers)
        raise RateLimited(
            summary, status=status, retry_after=DEFAULT_RATE_LIMIT_WAIT if wait is None else wait
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise Redirected(summary, status=status, changes=request.changes)
    raise _plain_error(summary, answer=answer, request=request)


_BY_STATUS: Mapping[int, type[CredlyError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.GONE: NotFound,
}


def _plain_error(summary: str, *, answer: Answer, request: Request) -> CredlyError:
    # 408 comes from a proxy that gave up waiting: the call may have been carried out.
    lost = answer.status == HTTPStatus.REQUEST_TIMEOUT
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and not lost:
        return _BY_STATUS.get(answer.status, Refused)(summary, status=answer.status)
    kind = OutcomeUnknown if request.changes else ServerError
    return kind(summary, status=answer.status, retry_after=_retry_after(answer.headers))


@attrs.frozen(kw_only=True)
class _Complaint:
    """What an error body says, as far as it can be understood."""

    message: str = ""
    errors: tuple[FieldError, ...] = ()
    current_badge_id: UUID | None = None


def _complaint(answer: Answer) -> _Complaint:
    """Never raises: an error body may be HTML, nothing, or JSON of another shape."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return _Complaint()
    if not isinstance(document, dict):
        return _Complaint()
    data = _object(document.get("data"))
    message = data.get("message") or document.get("message")
    errors = data.get("errors")
    current = _object(document.get("metadata")).get("current_badge_id")
    try:
        current_badge_id = UUID(str(current)) if current else None
    except ValueError:
        current_badge_id = None
    return _Complaint(
        message=message if isinstance(message, str) else "",
        errors=tuple(
            _field_error(entry)
            for entry in (errors if isinstance(errors, list) else [])
            if isinstance(entry, dict)
        ),
        current_badge_id=current_badge_id,
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _field_error(entry: Mapping[str, object]) -> FieldError:
    messages = entry.get("messages")
    listed = messages if isinstance(messages, list) else [messages] if messages else []
    return FieldError(
        attribute=str(entry.get("attribute") or entry.get("attribute_label") or ""),
        messages=tuple(str(message) for message in listed),
    )


def _validation_error(said: _Complaint, *, summary: str) -> ValidationFailed:
    fields = "; ".join(str(error) for error in said.errors)
    details = f"{summary} ({fields})" if fields else summary
    kind = DuplicateBadge if DUPLICATE in details.lower() else ValidationFailed
    return kind(
        details,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        errors=said.errors,
        current_badge_id=said.current_badge_id,
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or an HTTP date counted from the answer's own `Date`; None when neither."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT)
