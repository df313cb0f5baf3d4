"""Answers of badges.preview as lines of text and as JSON."""

from collections.abc import Iterator
from typing import Any

import attrs

from badges.fates import Kind
from badges.preview import ArchiveAnswer, EventAnswer, OwnerAnswer


def event_lines(answer: EventAnswer) -> Iterator[str]:
    for each in answer.owners:
        mark = "yes" if each.matches else "no "
        kind = "penalty" if each.is_penalty else "requirement"
        yield f"{mark} {kind} {each.id}: {each.outcome}"
        yield from _rule_lines(each)
    whole = "complete" if answer.complete else "not complete"
    yield (
        f"From this event alone a learner has {answer.groups_met} of {answer.groups_required} "
        f"groups: {whole}."
    )


def _rule_lines(owner: OwnerAnswer) -> Iterator[str]:
    for each in owner.rules:
        path, operator, expected, actual = each.rule
        mark = "holds" if each.holds else "fails"
        yield f"      {mark} {' '.join(filter(None, (path, operator, expected)))} (is {actual})"


def archive_lines(answer: ArchiveAnswer) -> Iterator[str]:
    for kind, part in answer.parts.items():
        names = ""
        if part.count:
            more = ", ..." if part.count > len(part.usernames) else ""
            names = f" ({', '.join(part.usernames)}{more})"
        yield f"{kind.value}: {part.count}{names}"
        for reason, count in part.reasons.items():
            yield f"    {count}: {reason}"
    for gap in answer.gaps:
        yield f"not evaluable in the archive: {gap}"
    yield (
        f"{answer.events} archived events looked at; {answer.changed} of {answer.known} learners "
        f"would change."
    )


def event_data(answer: EventAnswer) -> dict[str, Any]:
    data = attrs.asdict(answer)
    for owner in data["owners"]:
        owner["rules"] = [
            dict(zip(("path", "operator", "expected", "seen"), each["rule"], strict=True))
            | {"holds": each["holds"]}
            for each in owner["rules"]
        ]
    return data


def archive_data(answer: ArchiveAnswer) -> dict[str, Any]:
    parts = {
        _NAMES[kind]: {
            "count": part.count,
            "reasons": dict(part.reasons),
            "learners": list(part.usernames),
        }
        for kind, part in answer.parts.items()
    }
    return {
        **parts,
        "not_evaluable": list(answer.gaps),
        "events": answer.events,
        "learners_known": answer.known,
        "learners_changed": answer.changed,
    }


_NAMES = {each: each.name.lower() for each in Kind}
