from collections.abc import Callable
from uuid import UUID

import pytest

from credly_client import errors, responses
from credly_client.requests import Request
from credly_client.responses import Answer
from credly_client.types import BadgeTemplate, IssuedBadge, Page

Sample = Callable[[str], bytes]
READ = Request(method="GET", path="organizations/x/badges/y")
CHANGE = Request(method="POST", path="organizations/x/badges", body={}, changes=True)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def read_badge(answer: Answer, *, request: Request = READ) -> IssuedBadge:
    return responses.one(answer, request=request, parse=IssuedBadge.from_data)


def failure(
    status: int,
    body: bytes = b"",
    *,
    request: Request = READ,
    headers: dict[str, str] | None = None,
) -> errors.CredlyError:
    with pytest.raises(errors.CredlyError) as caught:
        read_badge(Answer(status=status, headers=headers or {}, body=body), request=request)
    assert caught.value.status == status
    return caught.value


@pytest.mark.parametrize("status", [200, 201])
def test_one(sample: Sample, status: int) -> None:
    answer = Answer(status=status, body=sample("badge_pending"))
    assert read_badge(answer, request=CHANGE).state == "pending"


def test_page(sample: Sample) -> None:
    page: Page[BadgeTemplate] = responses.page(
        Answer(status=200, body=sample("badge_templates")),
        request=READ,
        parse=BadgeTemplate.from_data,
    )
    assert len(page.items) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Refused),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (410, errors.NotFound),
        (409, errors.Refused),
        (422, errors.ValidationFailed),
        (429, errors.RateLimited),
        (301, errors.Redirected),
    ],
)
@pytest.mark.parametrize("request_", [READ, CHANGE])
@pytest.mark.parametrize("body", [b"", HTML, b"[]", b'{"data": null}', b'{"data": {"errors": 1}}'])
def test_statuses(
    status: int, kind: type[errors.CredlyError], request_: Request, body: bytes
) -> None:
    assert type(failure(status, body, request=request_)) is kind


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_5xx_leaves_only_a_change_unknown(status: int) -> None:
    assert type(failure(status, HTML)) is errors.ServerError
    assert type(failure(status, HTML, request=CHANGE)) is errors.OutcomeUnknown


@pytest.mark.parametrize(
    "body",
    [
        b"",
        HTML,
        b'{"data": {"id": "a3f1c2',
        b"{}",
        b'{"data": []}',
        b'{"data": {}}',
        b"null",
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_a_2xx_that_can_not_be_read(body: bytes) -> None:
    assert type(failure(200, body)) is errors.MalformedAnswer
    assert type(failure(201, body, request=CHANGE)) is errors.OutcomeUnknown


@pytest.mark.parametrize("metadata", [b"{}", b'{"total_pages": null}', b'{"total_pages": "1"}'])
def test_a_list_without_its_number_of_pages(metadata: bytes) -> None:
    answer = Answer(status=200, body=b'{"data": [], "metadata": ' + metadata + b"}")
    with pytest.raises(errors.MalformedAnswer, match="total_pages"):
        responses.page(answer, request=READ, parse=IssuedBadge.from_data)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 60.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 60.0),
        ({"retry-after": "soon"}, 60.0),
        ({"retry-after": "999999999"}, responses.LONGEST_WAIT),
        (
            {
                "date": "Sun, 01 Mar 2026 10:00:00 GMT",
                "retry-after": "Sun, 01 Mar 2026 10:01:30 GMT",
            },
            90.0,
        ),
        ({"retry-after": "Sun, 01 Mar 2026 10:01:30 GMT"}, 60.0),
    ],
)
def test_rate_limit_always_says_how_long(headers: dict[str, str], wait: float) -> None:
    assert failure(429, headers=headers).retry_after == wait


def test_5xx_hands_on_retry_after() -> None:
    assert failure(503, HTML, headers={"retry-after": "9"}).retry_after == 9.0
    assert failure(503, HTML).retry_after is None


def test_validation_names_the_fields(sample: Sample) -> None:
    error = failure(422, sample("error_validation"), request=CHANGE)
    assert type(error) is errors.ValidationFailed
    assert error.errors == (
        errors.FieldError(attribute="issued_to_first_name", messages=("can't be blank",)),
    )
    assert "issued_to_first_name: can't be blank" in str(error)


def test_validation_messages_may_be_one_text(sample: Sample) -> None:
    error = failure(422, sample("error_validation_text"))
    assert isinstance(error, errors.ValidationFailed)
    assert error.errors[0].messages == ("is not a date",)


def test_duplicate_is_its_own_error_and_hides_the_address(sample: Sample) -> None:
    error = failure(422, sample("error_duplicate"), request=CHANGE)
    assert type(error) is errors.DuplicateBadge
    assert "ann@example.com" not in str(error)
    assert "[e-mail] already has this badge" in str(error)


def test_replaced_badge_names_the_current_one(sample: Sample) -> None:
    error = failure(422, sample("error_replaced"))
    assert isinstance(error, errors.ValidationFailed)
    assert error.current_badge_id == UUID("b4a2d3e5-6f70-4b8c-9dae-1f203b4c5d6e")


def test_a_message_may_stand_at_the_top(sample: Sample) -> None:
    assert "Access denied" in str(failure(401, sample("error_unauthorized")))
