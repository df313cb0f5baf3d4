"""The books of a group: what balances, what is missing and what is only not known."""

from typing import Any

import pytest

from consumer.books import Books, Fault, Finding, parse_id, show_id, sortable


def books(**values: Any) -> Books:
    """Ten entries were added, ids 1 to 10; all are there, read and done."""
    sound: dict[str, Any] = {
        "added": 10,
        "length": 10,
        "first": (1, 0),
        "newest": (10, 0),
        "delivered": (10, 0),
        "read": 10,
        "lag": 0,
        "pending": 0,
        "done": 10,
        "base": 0,
    }
    return Books(**(sound | values))


@pytest.mark.parametrize(
    ("case", "values"),
    [
        ("all is done", {}),
        ("some at hand", {"pending": 3, "done": 7}),
        ("nothing read yet", {"delivered": (0, 0), "done": 0, "read": None}),
        ("all was read, then trimmed", {"length": 2, "first": (9, 0)}),
        ("all was read, then trimmed to nothing", {"length": 0, "first": None}),
        ("what is left is unread", {"length": 4, "first": (7, 0), "delivered": (6, 0), "done": 6}),
        ("a stream with a past", {"done": 2, "base": 8}),
        ("Redis counts wrongly after a gap", {"read": 3, "lag": 7}),
    ],
)
def test_balanced(case: str, values: dict[str, Any]) -> None:
    assert books(**values).missing() == 0
    assert books(**values).finding(sound_until=(0, 0)) is None


@pytest.mark.parametrize(
    ("case", "values"),
    [
        ("in the middle of the stream", {"delivered": (5, 0), "done": 5}),
        ("before Redis 7", {"added": None}),
        ("no base yet", {"base": None}),
    ],
)
def test_no_verdict(case: str, values: dict[str, Any]) -> None:
    assert books(**values).missing() is None
    assert books(**values).finding(sound_until=(0, 0)) is None


def test_trimmed_before_it_was_read() -> None:
    found = books(length=4, first=(7, 0), delivered=(2, 0), done=2).finding(sound_until=(2, 0))
    assert found == Finding(Fault.TRIMMED, 4, (2, 0), (7, 0))


def test_trimmed_and_read_on() -> None:
    """Noticed late: the ids say at least between which two it was."""
    found = books(length=4, first=(7, 0), done=6).finding(sound_until=(2, 0))
    assert found == Finding(Fault.TRIMMED, 4, (2, 0), (10, 0))


def test_trimmed_to_nothing() -> None:
    found = books(length=0, first=None, delivered=(2, 0), done=2).finding(sound_until=(2, 0))
    assert found == Finding(Fault.TRIMMED, 8, (2, 0), (10, 0))


def test_moved_forward() -> None:
    found = books(done=2).finding(sound_until=(2, 0))
    assert found == Finding(Fault.SKIPPED, 8, (2, 0), (10, 0))


def test_moved_back() -> None:
    found = books(done=14).finding(sound_until=(10, 0))
    assert found == Finding(Fault.REPEATED, 4, (0, 0), (10, 0))


@pytest.mark.parametrize(
    ("case", "values", "base"),
    [
        ("new group on an old stream", {"delivered": (0, 0), "read": None, "done": 0}, 0),
        (
            "new group on a trimmed stream: that was before its time",
            {"length": 4, "first": (7, 0), "delivered": (0, 0), "read": None, "done": 0},
            6,
        ),
        ("a group that others kept until now", {"done": 0}, 10),
        (
            "a group that others kept, overtaken by the trimming: two of ten are missing",
            {"length": 4, "first": (7, 0), "delivered": (4, 0), "read": 4, "done": 0},
            4,
        ),
        ("in the middle of the stream", {"delivered": (5, 0)}, None),
        ("before Redis 7", {"added": None}, None),
    ],
)
def test_the_first_base(case: str, values: dict[str, Any], base: int | None) -> None:
    assert books(base=None, **values).first_base() == base


@pytest.mark.parametrize(
    ("values", "lag"),
    [
        ({}, 0),
        ({"lag": 7}, 0),  # Redis is wrong: the last entry was delivered
        ({"delivered": (5, 0), "lag": 5}, 5),
        ({"delivered": (5, 0), "lag": 50}, 10),
        ({"delivered": (5, 0), "lag": None}, None),
        ({"delivered": (0, 0), "lag": None}, 10),
    ],
)
def test_lag(values: dict[str, Any], lag: int | None) -> None:
    assert books(**values).lag_messages() == lag


def test_ids() -> None:
    assert parse_id(b"1700000000000-3") == (1_700_000_000_000, 3)
    assert show_id((5, 7)) == "5-7"
    ids = [(9, 0), (10, 0), (10, 2), (10, 10), (2**64 - 1, 2**64 - 1)]
    assert sorted(map(sortable, ids)) == list(map(sortable, ids))
    assert [parse_id(sortable(each)) for each in ids] == ids
