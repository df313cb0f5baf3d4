"""Payloads with a value of every kind, the values that rules expect there, and hostile ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import reduce
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import attrs
from hypothesis import strategies as st
from opaque_keys.edx.keys import CourseKey

from tests.fakes.hostile import Offsetless, Unprintable

COURSES: Final = ("course-v1:Acme+D1+2026", "course-v1:Acme+D2+2026", "course-v1:acme+d1+2026")
FIRST: Final = datetime(1, 1, 1)  # noqa: DTZ001 -- a naive time is one of the cases
LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001 -- so is this
UUIDS: Final = (UUID(int=1), UUID(int=0xABCDEF))
PATTERNS: Final = ("a", "^a", "b$", "a.b", "[0-9]+", "^$", "(a|b)1", "A?b", r"\+D\d", "", ".", "é")


@attrs.frozen
class Inner:
    key: UUID
    text: str | None = None


@attrs.frozen
class Payload:
    """A value of every kind, some of them inside a record that may be missing."""

    text: str
    number: float
    whole: int
    flag: bool
    moment: datetime
    course: CourseKey
    things: list[str]
    inner: Inner | None = None


PATHS: Final[Mapping[str, str]] = {
    "text": "text",
    "number": "number",
    "whole": "number",
    "flag": "boolean",
    "moment": "datetime",
    "course": "key",
    "things": "object",
    "inner": "object",
    "inner.key": "key",
    "inner.text": "text",
    "metadata.source": "text",
    "metadata.time": "datetime",
}


# --- Values of the declared kind, near enough to one another to be equal often ------------------
_zones = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=23, minutes=59))]
)
_moments = st.builds(
    lambda minutes, zone: (
        datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ).astimezone(zone),
    st.integers(-1, 1),
    _zones,
) | st.sampled_from([FIRST, LAST, FIRST.replace(tzinfo=timezone(timedelta(hours=14)))])
_numbers = st.sampled_from(
    [0, 1, 7, -1, 0.9, 0.1, 7.0, -0.5, 1e300, 2**53, 2**53 + 1, float(2**53)]
) | st.integers(-3, 3)
_texts = st.text("aAb1é ", max_size=4) | st.sampled_from(["0.9", " 0.90 ", "7", "1e3", "ab", "a1"])
VALUES: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "text": _texts,
    "number": _numbers | st.sampled_from(["0.90", "A", float("nan"), True]),
    "boolean": st.booleans() | st.sampled_from(["YES", "no", "0", "+", "maybe", 1, 0, 2]),
    "datetime": _moments
    | st.sampled_from(["2026-03-01T00:00:00+00:00", "2026-03-01T00:00:00", "soon", 3]),
    "key": st.sampled_from([*map(CourseKey.from_string, COURSES), *UUIDS]),
    "object": st.just(["x"]),
}


# --- What rules expect there ---------------------------------------------------------------------
def _instant(moment: datetime) -> str:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


_ONE: Final[Mapping[str, st.SearchStrategy[str]]] = {
    "text": _texts,
    "number": _numbers.map(repr) | st.sampled_from([" 0.90", "+7", "1E3", ".5", "5."]),
    "boolean": st.sampled_from(["true", "False", " YES ", "no", "1", "0", "+", "-"]),
    "datetime": _moments.map(_instant),
    "key": st.sampled_from(COURSES),
    "object": st.just(""),
}


def expected(path: str, operator: str) -> st.SearchStrategy[str]:
    """Texts that `operator` may be given at `path`."""
    kind = PATHS[path]
    one = st.sampled_from([*map(str, UUIDS)]) if path == "inner.key" else _ONE[kind]
    if operator in {"exists", "is_missing"}:
        return st.just("")
    if operator == "matches":
        return st.sampled_from(PATTERNS[:-3])
    if operator in {"contains", "not_contains", "starts_with", "ends_with"}:
        return st.sampled_from(["a", "1", "ab", "course-v1:A", "+2026", " ", "é", "0000"])
    if operator in {"in", "not_in"}:
        # An item of a list stands for itself without the blanks around it.
        listed = one.filter(lambda text: bool(text.strip()))
        return st.lists(listed, min_size=1, max_size=3).map(", ".join)
    return one


@st.composite
def payloads(draw: st.DrawFn) -> Any:
    """Any value may be missing; most are of the declared kind, some are not readable as it."""

    def value(path: str) -> Any:
        return draw(st.none() | VALUES[PATHS[path]])

    fields = {name: value(name) for name in PATHS if "." not in name and name != "inner"}
    inner = SimpleNamespace(key=draw(st.sampled_from(UUIDS)), text=value("inner.text"))
    return SimpleNamespace(**fields, inner=draw(st.sampled_from([inner, None])))


# --- Hostile -------------------------------------------------------------------------------------
_EMPTY: list[Any] = []
DEEP: Final = reduce(lambda inner, _: [inner], range(20_000), _EMPTY)
# Any character, and many of those that a database or UTF-8 refuses.
_any_text = st.text(max_size=8) | st.text("\x00\ud800\udfff\u2028aé1+:. ", max_size=6)
_any_zone = st.sampled_from(
    [None, UTC, Offsetless(), timezone(timedelta(hours=23, minutes=59, seconds=59, microseconds=1)),
     timezone(-timedelta(hours=23, minutes=59, seconds=59, microseconds=1))]
)  # fmt: skip
HOSTILE: Final[st.SearchStrategy[Any]] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    _any_text,
    st.binary(max_size=8),
    st.datetimes(timezones=_any_zone),
    st.builds(datetime.replace, st.sampled_from([FIRST, LAST]), tzinfo=_any_zone),
    st.decimals(),
    st.recursive(st.none() | _any_text, lambda inner: st.lists(inner, max_size=2), max_leaves=4),
    st.sampled_from(
        [10**400, -(10**5_000), "9" * 5_000, "a" * 10_001, "\ud800", "\x00", "[" * 5_000, b"\xff",
         DEEP, Unprintable(), Unprintable, {}, set(),
         "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "nan", "1e99999", "٣"]
    ),
)  # fmt: skip
HOSTILE_TEXT: Final[st.SearchStrategy[str]] = _any_text | st.sampled_from(
    ["[" * 5_000, '["\ud800"]', "\ud800", "\x00", "(" * 1_001, "a{1000}{1000}", "nan", "9" * 9_999,
     "[" + "1" * 5_000 + "]", "1e99999", "0001-01-01T00:00:00+23:59", "a" * 10_001, "{}", "-0", "+",
     "course-v1:\ud800+\x00+1", "course-v1:" + "+" * 100, "block-v1:a+b+c+type@x+block@y"]
)  # fmt: skip


@st.composite
def hostile_payloads(draw: st.DrawFn) -> Any:
    """Anything anywhere: fields of any type, fields that are not there, records that are none."""
    names = draw(st.sets(st.sampled_from(["text", "number", "whole", "flag", "moment", "course"])))
    fields = {name: draw(HOSTILE) for name in sorted(names)}
    record = SimpleNamespace(key=draw(HOSTILE), text=draw(HOSTILE))
    return SimpleNamespace(**fields, things=draw(HOSTILE), inner=draw(st.just(record) | HOSTILE))


def event(payload: Any, *, source: Any = "lms", time: Any = None) -> Any:
    """What the rules look at of an event."""
    when = datetime(2026, 3, 1, tzinfo=UTC) if time is None else time
    return SimpleNamespace(type="t", payload=payload, time=when, source=source, sourcehost="")
