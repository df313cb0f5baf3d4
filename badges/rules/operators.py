"""The operators: one table. An operator that is not in it does not exist.

A test gets the actual value, never missing or unreadable, and the parsed expected value.
"""

import operator
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import attrs

from badges.rules.paths import Kind


class Takes(Enum):
    """What an operator expects in a rule's value."""

    ONE = "one value of the path's type"
    LIST = "a list of values of the path's type"
    TEXT = "a piece of text"
    PATTERN = "a regular expression (RE2)"
    NOTHING = "no value"


@attrs.frozen
class Operator:
    name: str
    takes: Takes
    kinds: frozenset[Kind]
    test: Callable[[Any, Any], bool]


_TEXTS = frozenset({Kind.TEXT, Kind.KEY})
_EQUALITY = frozenset(Kind) - {Kind.OBJECT}
_ORDERED = frozenset({Kind.TEXT, Kind.NUMBER, Kind.DATETIME})
_LISTED = frozenset({Kind.TEXT, Kind.KEY, Kind.NUMBER, Kind.DATETIME})
_EVERYTHING = frozenset(Kind)


def _is_in(actual: Any, expected: Any) -> bool:
    return actual in expected


def _not_in(actual: Any, expected: Any) -> bool:
    return actual not in expected


def _contains(actual: str, expected: str) -> bool:
    return expected in actual


def _not_contains(actual: str, expected: str) -> bool:
    return expected not in actual


def _matches(actual: str, expected: Any) -> bool:
    try:
        return expected.search(actual) is not None
    except UnicodeEncodeError:  # half a character: RE2 reads UTF-8, where there is no such thing
        return False


def _always(_actual: Any, _expected: Any) -> bool:
    return True


def _never(_actual: Any, _expected: Any) -> bool:
    return False


OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Operator("eq", Takes.ONE, _EQUALITY, operator.eq),
            Operator("ne", Takes.ONE, _EQUALITY, operator.ne),
            Operator("lt", Takes.ONE, _ORDERED, operator.lt),
            Operator("le", Takes.ONE, _ORDERED, operator.le),
            Operator("gt", Takes.ONE, _ORDERED, operator.gt),
            Operator("ge", Takes.ONE, _ORDERED, operator.ge),
            Operator("in", Takes.LIST, _LISTED, _is_in),
            Operator("not_in", Takes.LIST, _LISTED, _not_in),
            Operator("contains", Takes.TEXT, _TEXTS, _contains),
            Operator("not_contains", Takes.TEXT, _TEXTS, _not_contains),
            Operator("starts_with", Takes.TEXT, _TEXTS, str.startswith),
            Operator("ends_with", Takes.TEXT, _TEXTS, str.endswith),
            Operator("matches", Takes.PATTERN, _TEXTS, _matches),
            # A value is there: that alone answers both. A missing one never reaches a test, see
            # Condition.holds.
            Operator("exists", Takes.NOTHING, _EVERYTHING, _always),
            Operator("is_missing", Takes.NOTHING, _EVERYTHING, _never),
        )
    }
)
ORDERING: Final = frozenset({"lt", "le", "gt", "ge"})


def operators_for(kind: Kind) -> tuple[str, ...]:
    """Names of the operators that fit `kind`, in the order of the table."""
    return tuple(name for name, each in OPERATORS.items() if kind in each.kinds)
