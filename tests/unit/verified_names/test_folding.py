from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from verified_names.folding import Fact, Outcome, Status, fold, in_force

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def idv(status: str, minute: int, name: str = "Ann Lee", **changes: Any) -> Fact:
    fields: dict[str, Any] = {"source": "idv", "attempt": "7", "name": name, **changes}
    return Fact(status=Status(status), at=at(minute), event_id=UUID(int=minute), **fields)


def exam(status: str, minute: int, name: str = "Ann Lee", **changes: Any) -> Fact:
    fields = {"source": "exam", "attempt": "final", "defers": True, "reopens": True}
    return idv(status, minute, name, **fields | changes)


def folded(*facts: Fact) -> list[tuple[str, str]]:
    """Name and status; asserts that the order of arrival says nothing."""
    found = fold(facts)
    for order in permutations(facts):
        assert fold(order) == found
    return [(each.name, each.status.value) for each in found.names.values()]


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ([idv("pending", 1), idv("approved", 2, "")], [("Ann Lee", "approved")]),
        ([idv("approved", 1), idv("pending", 2, "Eve")], [("Ann Lee", "approved")]),
        ([idv("approved", 1), idv("denied", 2)], [("Ann Lee", "denied")]),
        ([idv("denied", 1), idv("approved", 2, "Anne")], [("Anne", "approved")]),
        ([idv("approved", 1, "")], []),
        ([idv("approved", 1, ""), idv("pending", 2)], [("Ann Lee", "pending")]),
        ([idv("pending", 1), idv("approved", 2, "", refused="x")], [("Ann Lee", "pending")]),
        ([idv("pending", 1), idv("denied", 2, "", refused="x")], [("Ann Lee", "denied")]),
        ([idv("void", 1), idv("approved", 2)], []),  # deleted: a tombstone
        ([idv("approved", 1), idv("void", 2), idv("approved", 3)], [("Ann Lee", "void")]),
        ([idv("void", 1), idv("approved", 2, by="prof")], [("Ann Lee", "approved")]),
        ([idv("approved", 1), idv("pending", 2, "", by="prof")], [("Ann Lee", "pending")]),
        ([exam("void", 1), exam("approved", 2)], [("Ann Lee", "approved")]),
        (
            [exam("approved", 1), exam("void", 2), exam("submitted", 3)],
            [("Ann Lee", "void"), ("Ann Lee", "submitted")],
        ),
        ([idv("approved", 1), exam("approved", 2, "Bob")], [("Ann Lee", "approved")]),
        (
            [idv("approved", 1), exam("approved", 2, "ann  lee")],
            [("Ann Lee", "approved"), ("ann  lee", "approved")],
        ),
        (
            [exam("submitted", 1), idv("approved", 2, "Eve"), exam("approved", 3)],
            [("Ann Lee", "submitted"), ("Eve", "approved")],
        ),
        (
            [exam("approved", 1), idv("approved", 2, "Eve"), exam("denied", 3, "Bob")],
            [("Ann Lee", "denied"), ("Eve", "approved")],
        ),
        (
            [idv("approved", 1, valid_until=at(2)), exam("approved", 2, "Bob")],
            [("Ann Lee", "approved"), ("Bob", "approved")],
        ),
    ],
)
def test_names_of_facts(facts: list[Fact], names: list[tuple[str, str]]) -> None:
    assert folded(*facts) == names


def test_of_one_time_what_takes_away_wins() -> None:
    denial = Fact("idv", "7", Status.DENIED, START, UUID(int=1), name="Ann Lee")
    approval = Fact("idv", "7", Status.APPROVED, START, UUID(int=2), name="Ann Lee")
    assert folded(denial, approval) == [("Ann Lee", "denied")]


def test_every_fact_has_an_outcome() -> None:
    facts = [
        idv("approved", 1),
        idv("pending", 2),
        exam("void", 3),
        exam("approved", 4, "Bob"),
        exam("approved", 5, ""),
    ]
    assert list(fold(facts).outcomes.values()) == [
        Outcome.COUNTED,
        Outcome.OUTRANKED,
        Outcome.NOTHING,
        Outcome.MISMATCH,
        Outcome.NO_NAME,
    ]


def test_the_newest_valid_approval_is_in_force() -> None:
    facts = [
        idv("approved", 1, "A", attempt="1", valid_until=at(9)),
        idv("approved", 2, "B", attempt="2", valid_until=at(5)),
        idv("pending", 3, "C", attempt="3"),
    ]
    names = fold(facts).names.values()

    def name(minute: int) -> str | None:
        found = in_force(names, at=at(minute))
        return found.name if found else None

    assert [name(4), name(5), name(8), name(9)] == ["B", "A", "A", None]
