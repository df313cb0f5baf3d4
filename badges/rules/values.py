"""Values, read in the type that the payload declares: numbers as numbers, keys in canonical form.

Two sides: an *expected* value is text that an admin entered and is parsed once, when the rule is
compiled; an *actual* value comes with every event and may be anything.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from opaque_keys import InvalidKeyError

from badges.rules.paths import KeyPath, Kind

MAX_VALUE_LENGTH: Final = 10_000  # characters of an expected value
_EXACT_DIGITS: Final = 300
_TOO_LARGE: Final = 10**_EXACT_DIGITS
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,5})?", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?",
    re.ASCII,
)
_EXAMPLES: Final = {
    "CourseKey": ", for example course-v1:Acme+D101+2026",
    "CCXLocator": ", for example ccx-v1:Acme+D101+2026+ccx@1",
    "UsageKey": ", for example block-v1:Acme+D101+2026+type@sequential+block@final",
}
_LONGEST: Final = timedelta(days=36_500)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CANONICAL_LENGTH: Final = 200
_NOT_STORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # NUL, half a character
_TRUE = frozenset({"true", "yes", "1", "+"})
_FALSE = frozenset({"false", "no", "0", "-"})


class Absent(Enum):
    """Named outcomes of reading a value; no comparison holds for either."""

    MISSING = "missing"  # no such path, or None
    UNREADABLE = "unreadable"  # there, but not of the declared kind


class ValueRefusedError(ValueError):
    """An expected value does not parse; the message says what is allowed."""


def parse_number(text: str) -> float | None:
    """None when `text` is no finite decimal number."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("+-").isdigit() and len(text) <= _EXACT_DIGITS:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def parse_boolean(text: str) -> bool | None:
    """None when `text` is none of true yes + 1, false no - 0 (any case)."""
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    return False if lowered in _FALSE else None


def split_list(text: str) -> list[str]:
    """The items of a list value: a JSON list of strings, or separated by commas."""
    if text.lstrip().startswith("["):
        try:
            items = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueRefusedError(f"not a JSON list: {error}") from None
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueRefusedError("a list that starts with [ must be a JSON list of strings")
        return items
    return [item.strip() for item in text.split(",") if item.strip()]


def join_list(items: list[str]) -> str:
    """The text that `split_list` reads back as `items`."""
    plain = all(item and item == item.strip() and "," not in item for item in items)
    if plain and not (items and items[0].startswith("[")):
        return ", ".join(items)
    return json.dumps(items, ensure_ascii=False)


def canonical(value: Any) -> str:
    """One text of at most 200 characters for equal values: equal numbers, booleans and instants
    give the same text. Every database can hold it.
    """
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float) and value.is_integer():
        text = str(int(value))
    elif isinstance(value, datetime):
        text = str((value - _EPOCH) // timedelta(microseconds=1))
    else:
        text = str(value)
    if len(text) > _CANONICAL_LENGTH or _NOT_STORABLE.search(text):
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return text


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration in weeks, days, hours, minutes and seconds.

    Raises ValueRefusedError: months and years have no fixed length.
    """
    found = _DURATION.fullmatch(text.strip())
    parts = {name: int(part) for name, part in found.groupdict().items() if part} if found else {}
    length = timedelta(**parts) if parts else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise ValueRefusedError(
            f"{text!r} is no duration in weeks, days, hours, minutes or seconds; "
            "write for example P30D, P2W, PT12H or P1DT6H"
        )
    return length


def expect(text: str, path: KeyPath) -> Any:
    """Parse one expected value for `path`.

    Raises ValueRefusedError.
    """
    if path.kind is Kind.NUMBER:
        number = parse_number(text)
        if number is None:
            raise ValueRefusedError(f"{text!r} is not a number, for example 0.9")
        return number
    if path.kind is Kind.BOOLEAN:
        boolean = parse_boolean(text)
        if boolean is None:
            raise ValueRefusedError(f"{text!r} is neither true (yes, 1, +) nor false (no, 0, -)")
        return boolean
    if path.kind is Kind.DATETIME:
        return _expect_datetime(text)
    if path.kind is Kind.KEY:
        return _expect_key(text, path)
    return text


def _expect_datetime(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueRefusedError(
            f"{text!r} is not an ISO 8601 date and time, for example 2026-03-01T10:00:00+00:00"
        ) from None
    if moment.tzinfo is None:
        raise ValueRefusedError(f"{text!r} has no time zone; end it with +00:00 or Z for UTC")
    return moment


def _expect_key(text: str, path: KeyPath) -> str:
    text = text.strip()
    try:
        if path.type is UUID:
            return str(UUID(text))
        return str(path.type.from_string(text))  # type: ignore[attr-defined]
    except (InvalidKeyError, ValueError):
        example = _EXAMPLES.get(path.type.__name__, "")
        kind = "uuid" if path.type is UUID else "key of this kind"
        raise ValueRefusedError(f"{text!r} is no {kind}{example} ({path.type.__name__})") from None


def _actual_text(raw: Any) -> Any:
    if type(raw) is str:
        return raw
    try:
        return str(raw)
    except Exception:  # noqa: BLE001 -- a number too long, a list too deep: whatever it is, no text
        return Absent.UNREADABLE


def _actual_number(raw: Any) -> Any:
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else Absent.UNREADABLE
    if isinstance(raw, int):
        return raw if abs(raw) < _TOO_LARGE else Absent.UNREADABLE
    number = parse_number(raw) if isinstance(raw, str) else None
    return Absent.UNREADABLE if number is None else number


def _actual_boolean(raw: Any) -> Any:
    if isinstance(raw, int):
        return bool(raw) if raw in {0, 1} else Absent.UNREADABLE
    boolean = parse_boolean(raw) if isinstance(raw, str) else None
    return Absent.UNREADABLE if boolean is None else boolean


def _actual_datetime(raw: Any) -> Any:
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw)
        except ValueError:
            return Absent.UNREADABLE
    if not isinstance(raw, datetime):
        return Absent.UNREADABLE
    # A time zone that knows no offset leaves a time as naive as none does.
    return raw if raw.utcoffset() is not None else raw.replace(tzinfo=UTC)


def _actual_object(raw: Any) -> Any:
    return raw


# How the actual value of each kind is read. Each function accepts anything but None.
READERS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _actual_text,
    Kind.KEY: _actual_text,
    Kind.NUMBER: _actual_number,
    Kind.BOOLEAN: _actual_boolean,
    Kind.DATETIME: _actual_datetime,
    Kind.OBJECT: _actual_object,
}
