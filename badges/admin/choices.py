"""What the selects of requirements, penalties and rules offer, in words for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from badges.rules.operators import OPERATORS, operators_for
from badges.rules.paths import KeyPath, Kind, key_paths
from events.registry import subscriptions

Choices = Sequence[tuple[str, Any]]

_OPERATOR_LABELS: Final = {
    "eq": "is",
    "ne": "is not",
    "lt": "is less than",
    "le": "is at most",
    "gt": "is greater than",
    "ge": "is at least",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "matches": "matches the pattern",
    "exists": "is there",
    "is_missing": "is missing",
}
_ABBREVIATIONS: Final = {"idv": "IDV", "ccx": "CCX"}
_EXAMPLES: Final = {
    Kind.TEXT: "text",
    Kind.KEY: "course-v1:Acme+D101+2026",
    Kind.NUMBER: "0.9",
    Kind.BOOLEAN: "true or false",
    Kind.DATETIME: "2026-03-01T10:00:00+00:00",
}
_CHOOSE: Final = ("", "Choose…")
_ANY: Final = ("", "Any event counts")


def event_type_label(event_type: str) -> str:
    """`org.openedx.learning.exam.attempt.verified.v1` -> `Exam attempt verified`."""
    words = " ".join(event_type.split(".")[3:-1]).replace("_", " ").split()
    if not words:
        return event_type
    label = " ".join(_ABBREVIATIONS.get(word, word) for word in words)
    return label[0].upper() + label[1:]


def event_types(stored: str = "") -> Choices:
    """The configured types, and the stored one even if it is configured no more."""
    found = sorted(subscriptions())
    labels = [event_type_label(each) for each in found]
    choices = [
        (each, label if labels.count(label) == 1 else f"{label} ({each})")
        for each, label in zip(found, labels, strict=True)
    ]
    choices.sort(key=lambda choice: choice[1])
    if stored and stored not in found:
        choices.append((stored, f"{stored} (not configured any more)"))
    return [_CHOOSE, *choices]


def paths(event_type: str, stored: str = "") -> Choices:
    """The key paths of the type, grouped by their first part, and the stored one in any case."""
    return [_CHOOSE, *_grouped(_paths_of(event_type), stored)]


def values(event_type: str, stored: str = "") -> Choices:
    """The key paths that lead to a value of which there can be different ones."""
    found = _paths_of(event_type)
    fitting = {path: each for path, each in found.items() if each.kind is not Kind.OBJECT}
    return [_ANY, *_grouped(fitting, stored)]


def operators(event_type: str, path: str, stored: str = "") -> Choices:
    """The operators that fit the path, all of them while the path is not known."""
    found = _paths_of(event_type).get(path)
    names = list(OPERATORS) if found is None else list(operators_for(found.kind))
    if stored and stored not in names:
        names.append(stored)
    return [_CHOOSE, *((name, _OPERATOR_LABELS.get(name, name)) for name in names)]


def path_label(path: KeyPath) -> str:
    return f"{path.path}  ({path.kind.value})"


def picker() -> dict[str, Any]:
    """Everything the rule picker in the browser needs; see static/badges/admin/rules.js."""
    return {
        "paths": {
            event_type: [
                {
                    "path": each.path,
                    "kind": each.kind.name,
                    "label": path_label(each),
                    "group": _group(each, _paths_of(event_type)),
                }
                for each in _paths_of(event_type).values()
            ]
            for event_type in subscriptions()
        },
        "operators": {
            kind.name: [
                {"name": name, "label": _OPERATOR_LABELS.get(name, name)}
                for name in operators_for(kind)
            ]
            for kind in Kind
        },
        "takes": {name: each.takes.name for name, each in OPERATORS.items()},
        "examples": {kind.name: example for kind, example in _EXAMPLES.items()},
        "choose": _CHOOSE[1],
        "any": _ANY[1],
    }


def _grouped(known: Mapping[str, KeyPath], stored: str) -> Choices:
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in known.values():
        groups.setdefault(_group(each, known), []).append((each.path, path_label(each)))
    choices: list[tuple[str, Any]] = list(groups.items())
    if stored and stored not in known:
        choices.append((stored, f"{stored} (unknown here)"))
    return choices


def _paths_of(event_type: str) -> Mapping[str, KeyPath]:
    subscription = subscriptions().get(event_type)
    return {} if subscription is None else _paths_in(subscription.payload_type)


def _paths_in(payload_type: type) -> Mapping[str, KeyPath]:
    return key_paths(payload_type)


def _group(path: KeyPath, known: Mapping[str, KeyPath]) -> str:
    first = path.path.partition(".")[0]
    if first == "metadata":
        return "about the event itself"
    return first if any(each.startswith(first + ".") for each in known) else "directly in the event"
