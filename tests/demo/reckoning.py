"""The outcome of a stream, worked out a second time: slow, obvious, and without the service's code.

Everything that was ever met or reset is kept, and after each event the standing is judged anew
from all of it. It knows only what the demo's templates use: `eq`, `in`, groups, penalties, and
`reissue: never`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

Line = Mapping[str, Any]
Pair = tuple[int, str]  # LMS user id, uuid of the template

_PERSON: Final = {"exam_attempt": "student_user"}  # of several people, the one it is about


@attrs.frozen
class Standing:
    """Where one learner stands with one template."""

    fulfilled: frozenset[str]  # ids of requirements
    groups_met: int
    groups_required: int
    complete: bool
    status: str | None  # of the credential: awarded, revoked, None when there never was one
    blocked: bool


@attrs.frozen
class RunCounts:
    """What a run of a schedule came to, in learners; `awarded` in badges."""

    evaluated: int = 0
    eligible: int = 0
    awarded: int = 0
    skipped: int = 0
    failed: int = 0


@attrs.frozen
class Outcome:
    learners: frozenset[int]
    standings: Mapping[Pair, Standing]
    emails: Mapping[int, str]
    inbox: Mapping[str, int]
    passed_over: int  # messages of types that nobody configured
    printed: Mapping[Pair, str] = attrs.field(factory=dict)  # the names on certificates
    run: RunCounts = attrs.field(factory=RunCounts)


@attrs.define
class _History:
    """All that happened to one learner with one template, in the order it was delivered."""

    met: dict[str, list[datetime]] = attrs.field(factory=lambda: defaultdict(list))
    resets: dict[str, list[datetime]] = attrs.field(factory=lambda: defaultdict(list))
    complete: bool = False
    status: str | None = None

    def fulfilled(self) -> frozenset[str]:
        """At equal times the reset wins."""
        return frozenset(
            key
            for key, times in self.met.items()
            if any(all(time > reset for reset in self.resets[key]) for time in times)
        )


def reckon(
    lines: Iterable[Line],
    *,
    document: Mapping[str, Any],
    configured: Collection[str],
    undecodable: int,
) -> Outcome:
    """`lines` in the order of delivery; `document`: the import file; `configured`: event types."""
    histories: dict[Pair, _History] = defaultdict(_History)
    emails: dict[int, str] = {}
    names: dict[int, str] = {}
    seen: set[str] = set()
    duplicates = passed_over = 0
    for line in lines:
        if line["type"] not in configured:
            passed_over += 1
            continue
        if line["id"] in seen:
            duplicates += 1
            continue
        seen.add(line["id"])
        payload, person = _about(line)
        emails[person["id"]] = person["pii"]["email"]
        names[person["id"]] = person["pii"].get("name") or names.get(person["id"], "")
        for template in document["templates"]:
            _apply(template, line, payload, histories, pair=(person["id"], template["uuid"]))
    transitions = sum(
        {"awarded": 1, "revoked": 2, None: 0}[each.status] for each in histories.values()
    )
    templates = {each["uuid"]: each for each in document["templates"]}
    return Outcome(
        learners=frozenset(emails),
        standings={
            pair: _standing(templates[pair[1]], history) for pair, history in histories.items()
        },
        emails=emails,
        # Every award and every revocation is published, comes back, and is an event itself.
        inbox={
            "accepted": len(seen) + transitions,
            "ignored": 0,
            "duplicate": duplicates,
            "failed": undecodable,
            "dead": 0,
        },
        passed_over=passed_over,
        printed={
            pair: names[pair[0]]
            for pair, history in histories.items()
            if history.status and "pdf" in templates[pair[1]].get("providers", ())
        },
    )


def _about(line: Line) -> tuple[Any, Any]:
    """The payload, and the person it is about."""
    ((argument, payload),) = line["data"].items()
    if argument == "user":
        return payload, payload
    return payload, payload[_PERSON.get(argument, "user")]


def _apply(
    template: Mapping[str, Any],
    line: Line,
    payload: Any,
    histories: dict[Pair, _History],
    *,
    pair: Pair,
) -> None:
    met = [each for each in template["requirements"] if _matches(each, line, payload)]
    undone = [each for each in template.get("penalties", []) if _matches(each, line, payload)]
    if not met and not undone:
        return
    history = histories[pair]
    time = datetime.fromisoformat(line["time"])
    for requirement in met:
        history.met[requirement["id"]].append(time)
    for penalty in undone:
        for key in penalty["resets"]:
            history.resets[key].append(time)
    before = history.complete
    history.complete = _standing(template, history).complete
    if history.complete and not before and history.status is None:
        history.status = "awarded"
    if before and not history.complete and history.status == "awarded":
        history.status = "revoked"


def _matches(owner: Mapping[str, Any], line: Line, payload: Any) -> bool:
    return owner["event_type"] == line["type"] and all(
        _holds(rule, payload) for rule in owner["rules"]
    )


def _holds(rule: Mapping[str, Any], payload: Any) -> bool:
    value = payload
    for step in rule["path"].split("."):
        value = value[step]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if rule["operator"] == "eq":
        return bool(text == rule["value"])
    if rule["operator"] == "in":
        return text in rule["value"]
    raise ValueError(f"the reckoning does not know the operator {rule['operator']!r}")


def _standing(template: Mapping[str, Any], history: _History) -> Standing:
    fulfilled = history.fulfilled()
    groups: dict[str, bool] = {}
    for requirement in template["requirements"]:
        label = requirement.get("group", f"only {requirement['id']}")
        groups[label] = groups.get(label, False) or requirement["id"] in fulfilled
    complete = all(groups.values())
    return Standing(
        fulfilled=fulfilled,
        groups_met=sum(groups.values()),
        groups_required=len(groups),
        complete=complete,
        status=history.status,
        blocked=complete and history.status == "revoked",
    )
