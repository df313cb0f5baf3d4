import math
import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from opaque_keys.edx.keys import CourseKey, LearningContextKey

from badges.rules.paths import KeyPath, Kind
from badges.rules.values import (
    READERS,
    Absent,
    ValueRefusedError,
    canonical,
    expect,
    join_list,
    parse_boolean,
    parse_duration,
    parse_number,
    split_list,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.90", 0.9), (" 7 ", 7), ("-3", -3), ("+.5", 0.5), ("1e3", 1000.0), ("00012", 12)],
)
def test_numbers(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "A", "1_000", "0x10", "nan", "inf", "1e99999", "1,5", "٣"])
def test_no_numbers(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize("sign", ["", "+", "-"])
def test_a_large_integer_stays_exact(sign: str) -> None:
    assert parse_number(sign + "9007199254740993") == int(sign + "9007199254740993")
    assert parse_number(sign + "1" * 299) == int(sign + "1" * 299)


def test_an_integer_is_exact_up_to_300_digits() -> None:
    assert parse_number("1" * 300) == int("1" * 300)
    assert parse_number("1" * 301) == float("1" * 301) != int("1" * 301)


@pytest.mark.parametrize("text", ["true", "YES", "1", "+"])
def test_true(text: str) -> None:
    assert parse_boolean(text) is True


@pytest.mark.parametrize("text", ["false", "No", "0", "-"])
def test_false(text: str) -> None:
    assert parse_boolean(text) is False


def test_no_boolean() -> None:
    assert parse_boolean("maybe") is None


@pytest.mark.parametrize("items", [["a", "b"], ["a,b", "c"], ["  x"], ["[1]"], [""], ["ä", '"']])
def test_a_list_survives_the_form_field(items: list[str]) -> None:
    assert split_list(join_list(items)) == items


def test_a_list_is_written_as_plainly_as_it_can_be() -> None:
    assert join_list([]) == ""
    assert join_list(["a", "[b]"]) == "a, [b]"
    assert join_list(["ä,", "b"]) == '["ä,", "b"]'


def test_blanks_and_empty_items_of_a_list_do_not_count() -> None:
    assert split_list(" a ,, b ,") == ["a", "b"]
    assert split_list(' [" a ", ""]') == [" a ", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "^a list that starts with \\[ must be a JSON list of strings$"),
        ("[", "^not a JSON list: Expecting value"),
        ('["a"', "^not a JSON list: Expecting ',' delimiter"),
    ],
)
def test_a_broken_list_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueRefusedError, match=said):
        split_list(text)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (KeyPath("grade", Kind.NUMBER, float), "high", "not a number"),
        (KeyPath("is_passing", Kind.BOOLEAN, bool), "maybe", "neither true"),
        (KeyPath("start", Kind.DATETIME, datetime), "tomorrow", "ISO 8601"),
        (KeyPath("start", Kind.DATETIME, datetime), "2026-03-01T10:00:00", "time zone"),
        (KeyPath("course_key", Kind.KEY, CourseKey), "Acme", "no key of this kind"),
    ],
)
def test_a_value_of_another_type_is_refused(path: KeyPath, text: str, said: str) -> None:
    with pytest.raises(ValueRefusedError, match=said):
        expect(text, path)


def test_a_key_is_compared_in_canonical_form() -> None:
    path = KeyPath("course_key", Kind.KEY, CourseKey)
    assert expect(" course-v1:Acme+D1+2026 ", path) == "course-v1:Acme+D1+2026"


def test_a_uuid_is_compared_in_canonical_form() -> None:
    path = KeyPath("uid", Kind.KEY, UUID)
    assert expect("{0000000000000000000000000000ABCD}", path) == str(UUID(int=0xABCD))
    with pytest.raises(ValueRefusedError, match="'7' is no uuid"):
        expect("7", path)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (CourseKey, "'x' is no key of this kind, for example course-v1:Acme+D101+2026 (CourseKey)"),
        (LearningContextKey, "'x' is no key of this kind (LearningContextKey)"),
        (UUID, "'x' is no uuid (UUID)"),
    ],
)
def test_what_a_key_should_look_like(declared: type, said: str) -> None:
    with pytest.raises(ValueRefusedError, match=f"^{re.escape(said)}$"):
        expect(" x ", KeyPath("key", Kind.KEY, declared))


def test_a_naive_time_in_a_payload_is_utc() -> None:
    naive = datetime(2026, 3, 1, 10)  # noqa: DTZ001 -- the point
    assert READERS[Kind.DATETIME](naive) == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("raw", [math.nan, math.inf, "A+", object(), b"1"])
def test_what_is_no_number_is_unreadable(raw: object) -> None:
    assert READERS[Kind.NUMBER](raw) is Absent.UNREADABLE


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P30D", timedelta(days=30)),
        ("P2W", timedelta(weeks=2)),
        ("PT12H", timedelta(hours=12)),
        ("P36500D", timedelta(days=36_500)),
        (" PT1S ", timedelta(seconds=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1M",
        "P1Y",
        "30",
        "P-1D",
        "P1.5D",
        "P0D",
        "P999999W",
        "p1d",
        "P36501D",
    ],
)
def test_no_durations(text: str) -> None:
    said = (
        f"{text!r} is no duration in weeks, days, hours, minutes or seconds; "
        "write for example P30D, P2W, PT12H or P1DT6H"
    )
    with pytest.raises(ValueRefusedError, match=f"^{re.escape(said)}$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (datetime(2026, 3, 1, 10, tzinfo=UTC),
         datetime(2026, 3, 1, 11, tzinfo=timezone(timedelta(hours=1)))),
        (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)),
    ],
)  # fmt: skip
def test_equal_values_have_one_canonical_text(one: object, other: object) -> None:
    assert canonical(one) == canonical(other)


def test_different_values_differ_also_when_they_are_long() -> None:
    assert canonical("x" * 10_000 + "a") != canonical("x" * 10_000 + "b")
    assert len(canonical("x" * 10_000)) <= 200
