from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from uuid import UUID

import pytest

from exam_attempts.standing import STATUS_OF, Mark, Standing, Status, advance

START = datetime(2026, 3, 1, tzinfo=UTC)
S, V, R, E, VOID = (
    Status.SUBMITTED,
    Status.VERIFIED,
    Status.REJECTED,
    Status.ERRORED,
    Status.VOID,
)


def mark(status: Status, minute: int, number: int = 0) -> Mark:
    return Mark(
        at=START + timedelta(minutes=minute),
        status=status,
        event_id=UUID(int=number),
        exam_type="proctored",
    )


def test_before_any_event_nothing_stands() -> None:
    assert Standing().deciding is None


@pytest.mark.parametrize(
    ("marks", "decides"),
    [
        ([mark(S, 1)], 0),
        ([mark(S, 2), mark(V, 1)], 1),  # a submission never undoes a review
        ([mark(V, 1), mark(R, 2)], 1),
        ([mark(R, 1), mark(V, 2)], 1),
        ([mark(E, 1), mark(V, 2)], 1),
        ([mark(V, 1), mark(VOID, 2)], 1),
        ([mark(V, 1), mark(VOID, 1)], 1),  # of one time the reset wins
        ([mark(V, 1), mark(R, 1)], 1),
        ([mark(E, 1), mark(R, 1)], 1),
        ([mark(V, 1), mark(E, 1)], 1),
        ([mark(V, 1), mark(VOID, 2), mark(S, 3)], 2),
        ([mark(V, 1), mark(S, 5), mark(VOID, 3)], 1),  # laid bare by the late reset
        ([mark(VOID, 2), mark(VOID, 4), mark(V, 3)], 1),
        ([mark(V, 1, 1), mark(V, 1, 2)], 1),
    ],
)
def test_any_order_decides_alike(marks: list[Mark], decides: int) -> None:
    for order in permutations(marks):
        assert reduce(advance, order, Standing()).deciding == marks[decides]


def test_every_exam_event_has_a_status() -> None:
    assert {each.split(".")[-2]: status.value for each, status in STATUS_OF.items()} == {
        "submitted": "submitted",
        "verified": "verified",
        "rejected": "rejected",
        "errored": "errored",
        "reset": "void",
    }
