"""One data rule, checked and compiled once, evaluated for every event that could match."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import attrs
import re2

from badges.rules.operators import OPERATORS, ORDERING, Operator, Takes, operators_for
from badges.rules.paths import KeyPath, Kind, key_paths
from badges.rules.values import (
    MAX_VALUE_LENGTH,
    READERS,
    Absent,
    ValueRefusedError,
    expect,
    parse_number,
    split_list,
)

_METADATA: Final = "metadata."


class RuleRefusedError(ValueError):
    """A data rule cannot work. `field` is path, operator or value; the message says what is
    allowed there.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@attrs.frozen
class DataRule:
    """A rule as it was written."""

    path: str
    operator: str
    value: str = ""


@attrs.frozen
class Value:
    """Reads the value at one path, in its declared type."""

    path: str
    get: Callable[[Any], Any]
    read: Callable[[Any], Any]

    def of(self, event: Any) -> Any:
        """The value, or Absent."""
        try:
            raw = self.get(event)
        except AttributeError:
            return Absent.MISSING
        return Absent.MISSING if raw is None else self.read(raw)


@attrs.frozen(eq=False)  # one object per distinct rule, compared by identity
class Condition:
    """A compiled rule. `equals` holds the values of an equality that an index can look up."""

    rule: DataRule
    get: Callable[[Any], Any]
    read: Callable[[Any], Any]
    test: Callable[[Any, Any], bool]
    expected: Any
    equals: frozenset[Any] | None
    missing_holds: bool

    def actual(self, event: Any) -> Any:
        """The value of `event` at the path, in the type of the comparison, or Absent."""
        try:
            raw = self.get(event)
        except AttributeError:
            return Absent.MISSING
        return Absent.MISSING if raw is None else self.read(raw)

    def holds(self, event: Any) -> bool:
        actual = self.actual(event)
        if actual is Absent.MISSING:
            return self.missing_holds
        if actual is Absent.UNREADABLE:
            return False
        return self.test(actual, self.expected)


def compile_rule(rule: DataRule, *, payload_type: type) -> Condition:
    """Raises RuleRefusedError for an unknown path, an operator that does not fit the path's kind,
    or a value that does not parse.
    """
    path = _find_path(rule.path, payload_type)
    operator = _find_operator(rule.operator, path)
    kind, expected = _find_expected(rule, operator, path)
    return Condition(
        rule=rule,
        get=_getter(rule.path),
        read=READERS[kind] if operator.takes is not Takes.NOTHING else READERS[Kind.OBJECT],
        test=operator.test,
        expected=expected,
        equals=_equals(rule.operator, expected),
        missing_holds=rule.operator == "is_missing",
    )


def compile_value(path: str, *, payload_type: type) -> Value:
    """For distinct_by. Raises RuleRefusedError for an unknown path or an object."""
    found = _find_path(path, payload_type)
    if found.kind is Kind.OBJECT:
        raise RuleRefusedError("path", f"{path} is an object; choose a value inside it")
    return Value(path=path, get=_getter(path), read=READERS[found.kind])


def _getter(path: str) -> Callable[[Any], Any]:
    """From an event to the value at `path`; raises AttributeError where a step is missing."""
    if path.startswith(_METADATA):
        return attrgetter(path.removeprefix(_METADATA))
    return attrgetter("payload." + path)


def _find_path(path: str, payload_type: type) -> KeyPath:
    paths = key_paths(payload_type)
    try:
        return paths[path]
    except KeyError:
        raise RuleRefusedError(
            "path", f"{path!r} is not a key path of this event; choose one of: {', '.join(paths)}"
        ) from None


def _find_operator(name: str, path: KeyPath) -> Operator:
    operator = OPERATORS.get(name)
    if operator is None or path.kind not in operator.kinds:
        raise RuleRefusedError(
            "operator",
            f"{name!r} does not fit {path.path} ({path.kind.value}); "
            f"choose one of: {', '.join(operators_for(path.kind))}",
        )
    return operator


def _find_expected(rule: DataRule, operator: Operator, path: KeyPath) -> tuple[Kind, Any]:
    """The kind in which values are compared, and the parsed value."""
    if len(rule.value) > MAX_VALUE_LENGTH:
        raise RuleRefusedError(
            "value", f"has {len(rule.value)} characters; at most {MAX_VALUE_LENGTH} are allowed"
        )
    if operator.takes is Takes.NOTHING and rule.value.strip():
        raise RuleRefusedError("value", f"must be empty: {rule.operator} takes no value")
    if operator.takes in {Takes.TEXT, Takes.PATTERN} and not rule.value:
        raise RuleRefusedError("value", "must not be empty")
    if path.kind is Kind.TEXT and rule.operator in ORDERING:
        # Certificate grades are text: `grade ge 0.9` means the number.
        number = parse_number(rule.value)
        if number is not None:
            return Kind.NUMBER, number
    try:
        return path.kind, _parse(rule.value, operator, path)
    except ValueRefusedError as error:
        raise RuleRefusedError("value", str(error)) from None


def _parse(text: str, operator: Operator, path: KeyPath) -> Any:
    """Raises ValueRefusedError."""
    match operator.takes:
        case Takes.NOTHING:
            return None
        case Takes.TEXT:
            return text
        case Takes.PATTERN:
            return _pattern(text)
        case Takes.LIST:
            items = split_list(text)
            if not items:
                raise ValueRefusedError("needs at least one item, separated by commas")
            return frozenset(expect(item, path) for item in items)
    return expect(text, path)


def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except UnicodeEncodeError:
        raise ValueRefusedError("holds half a character (a lone surrogate)") from None
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise ValueRefusedError(f"is not a regular expression that RE2 accepts: {reason}") from None


def _equals(operator: str, expected: Any) -> frozenset[Any] | None:
    if operator == "eq":
        return frozenset({expected})
    if operator == "in":
        return frozenset(expected)
    return None
