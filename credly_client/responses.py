"""Reads answers, pure: status, headers and body become a value or an error of the tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Never, TypeVar
from uuid import UUID

import attrs

from credly_client.bodies import BadgeRequest
from credly_client.configured import token_of
from credly_client.errors import (
    BatchRefused,
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
from credly_client.shapes import mapping, required, sequence
from credly_client.types import AuthorizationToken, IssuedBadge, Page

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


def whole(answer: Answer, *, request: Request, parse: Callable[[object], T]) -> T:
    """What `parse` makes of the document, where it has no envelope."""
    return _read(answer, request=request, read=parse)


def nothing(answer: Answer, *, request: Request) -> None:
    """204, or any other 2xx whatever it says."""
    if not _is_success(answer):
        _raise(answer, request=request)


def batch(
    answer: Answer, *, request: Request, badges: Sequence[BadgeRequest]
) -> tuple[IssuedBadge, ...]:
    """`{"data": [...]}` -> the issued badges in the order of `badges`; all of them, or an error."""

    def read(document: object) -> tuple[IssuedBadge, ...]:
        data = required(mapping(document, name="answer"), "data", sequence)
        issued = [IssuedBadge.from_data(item) for item in data]
        by_key = {(badge.template_id, badge.issuer_earner_id): badge for badge in issued}
        wanted = [(badge.template_id, badge.issuer_earner_id) for badge in badges]
        if missing := sum(key not in by_key for key in wanted):
            raise MalformedAnswer(f"{missing} of {len(wanted)} badges are not in the answer")
        return tuple(by_key[key] for key in wanted)

    try:
        return _read(answer, request=request, read=read)
    except ValidationFailed as error:
        refused = BatchRefused(
            str(error),
            status=error.status,
            errors=error.errors,
            current_badge_id=error.current_badge_id,
            error_index=error.error_index,
        )
        refused.duplicate = isinstance(error, DuplicateBadge)
        raise refused from error


def rotated_token(answer: Answer, *, request: Request) -> AuthorizationToken:
    """The new key. What the answer looks like is not documented: the key counts as lost, and the
    outcome as unknown, when it is neither in `data` nor in the one entry of a list there.
    """

    def read(document: object) -> AuthorizationToken:
        data: Any = mapping(document, name="answer").get("data")
        token = AuthorizationToken.from_data(data[0] if _is_single(data) else data)
        try:
            token_of(token.token or "")
        except ValueError as error:
            raise MalformedAnswer(str(error)) from error
        return token

    return _read(answer, request=request, read=read)


def is_unauthorized(answer: Answer) -> bool:
    return answer.status == HTTPStatus.UNAUTHORIZED


def _is_single(data: object) -> bool:
    return isinstance(data, list) and len(data) == 1


def _is_success(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _read(answer: Answer, *, request: Request, read: Callable[[object], T]) -> T:
    if not _is_success(answer):
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
    error_index: int | None = None


def _complaint(answer: Answer) -> _Complaint:
    """Never raises: an error body may be HTML, nothing, or JSON of another shape."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return _Complaint()
    if not isinstance(document, dict):
        return _Complaint()
    data = _object(document.get("data"))
    # OAuth answers carry `error` and perhaps `error_description` instead.
    message = data.get("message") or document.get("message") or document.get("error")
    errors = data.get("errors")
    current = _object(document.get("metadata")).get("current_badge_id")
    try:
        current_badge_id = UUID(str(current)) if current else None
    except ValueError:
        current_badge_id = None
    index = data.get("error_index")
    return _Complaint(
        message=message if isinstance(message, str) else "",
        errors=tuple(
            _field_error(entry)
            for entry in (errors if isinstance(errors, list) else [])
            if isinstance(entry, dict)
        ),
        current_badge_id=current_badge_id,
        error_index=index if isinstance(index, int) else None,
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
        error_index=said.error_index,
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
