"""What a signal provides: checked, kept as JSON, shown in the log."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from service_signals.arguments import Arguments, Personal

EVENT = UUID("5f1b0cb7-27a1-4c8a-9a3c-0d4a5e1f0001")
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
ALL = Arguments.declared(
    {"number": int, "yes": bool, "code": str, "event_id": UUID | None, "at": datetime}
)
VALUES = {"number": 7, "yes": True, "code": "passed-intro", "event_id": EVENT, "at": AT}


@pytest.mark.parametrize("kind", [list, object, int | str, None, "int", int | None | str])
def test_only_what_can_be_kept_is_declared(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"provides what: .* choose one of bool, int, str"):
        Arguments.declared({"what": kind})


def test_the_sender_has_its_own_place() -> None:
    with pytest.raises(TypeError, match="provides sender"):
        Arguments.declared({"sender": str})


def test_what_is_kept_comes_back() -> None:
    for values in (VALUES, {**VALUES, "event_id": None}):
        kept = ALL.to_json(values)
        assert kept is not None
        assert ALL.from_json(kept) == values
    assert ALL.to_json(VALUES) == {
        "number": 7,
        "yes": True,
        "code": "passed-intro",
        "event_id": str(EVENT),
        "at": "2026-03-01T10:00:00+00:00",
    }


def test_what_was_kept_under_another_declaration_does_not_come_back() -> None:
    with pytest.raises(TypeError, match="other arguments"):
        ALL.from_json({"number": 7})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"event_id": None}, None),
        ({"number": True}, "number is a bool, declared was int"),
        ({"number": None}, "number is a NoneType, declared was int"),
        ({"at": "2026"}, "at is a str, declared was datetime"),
        ({"event_id": str(EVENT)}, "event_id is a str, declared was UUID"),
        ({"name": "Ann"}, "unknown name"),
    ],
)
def test_faults(change: dict[str, Any], fault: str | None) -> None:
    assert ALL.fault({**VALUES, **change}) == fault


def test_missing_and_unknown_are_named_together() -> None:
    values = {key: VALUES[key] for key in ("number", "yes", "code")}
    assert ALL.fault({**values, "x": 1}) == "unknown x, missing at, event_id"


def test_personal_arguments_are_not_kept() -> None:
    personal = Arguments.declared({"name": Personal, "email": Personal | None})
    values = {"name": "Ann Lee", "email": None}
    assert personal.fault(values) is None
    assert personal.to_json(values) is None
    assert personal.to_log(values) == {"name": "(hidden)", "email": None}
    assert personal.personal_texts(values) == ["Ann Lee"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("passed-intro", "passed-intro"),
        ("course-v1:Acme+D101+2026", "course-v1:Acme+D101+2026"),
        ("Ann Lee", "(hidden)"),
        ("ann@example.com", "(hidden)"),
        ("", "(hidden)"),
    ],
)
def test_a_text_is_shown_when_it_looks_like_a_code(text: str, shown: str) -> None:
    assert ALL.to_log({**VALUES, "code": text})["code"] == shown
