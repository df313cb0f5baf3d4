"""Presets: the usual badges of special exams as requirement and penalties, ready made. Pure but for
the configured event types.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey

from badges.definitions import Rule, event_type_fault, rule_fault
from badges.rules.conditions import DataRule
from badges.rules.values import split_list

_VERIFIED: Final = "org.openedx.learning.exam.attempt.verified.v1"
TIMED: Final = "timed"
TIMED_NEVER_VERIFIED: Final = (
    "waits for a timed exam to be verified, but nobody reviews a timed exam: it is submitted and "
    "that is all. Use the event “submitted”."
)


def _event_type(verb: str) -> str:
    return f"org.openedx.learning.exam.attempt.{verb}.v1"


@attrs.frozen
class Preset:
    """A requirement on one exam event and penalties on others, all of the same exam."""

    label: str
    verb: str
    penalties: tuple[str, ...]
    exam_types: tuple[str, ...]  # that make sense; the first unless another is said

    @property
    def event_type(self) -> str:
        return _event_type(self.verb)


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "proctored_exam": Preset(
            label="Pass the proctored exam",
            verb="verified",
            penalties=("rejected", "reset"),
            exam_types=("proctored", "onboarding", "practice"),
        ),
        "timed_exam": Preset(
            label="Take the timed exam", verb="submitted", penalties=(), exam_types=(TIMED,)
        ),
    }
)


@attrs.frozen
class Exam:
    """Which exam a preset is about; the keys as they are written."""

    course_key: str
    usage_key: str
    exam_type: str

    @property
    def rules(self) -> tuple[DataRule, ...]:
        return tuple(DataRule(name, "eq", value) for name, value in attrs.asdict(self).items())


@attrs.frozen
class MadePenalty:
    """`id` follows from that of the requirement, which it resets."""

    id: str
    event_type: str


def penalties_of(preset: Preset, *, requirement_id: str) -> Sequence[MadePenalty]:
    return [MadePenalty(f"{requirement_id}-{verb}", _event_type(verb)) for verb in preset.penalties]


def faults(preset: Preset, exam: Exam) -> Iterator[tuple[str, str]]:
    """What is wrong with what was entered: a name of Exam's fields, or `preset`, and why."""
    types = [preset.event_type, *(_event_type(verb) for verb in preset.penalties)]
    unknown = [fault for each in types if (fault := event_type_fault(each)) is not None]
    if unknown:
        yield "preset", unknown[0]
        return
    refused = {
        rule.path: error.message
        for rule in exam.rules
        if (error := rule_fault(preset.event_type, rule)) is not None
    }
    yield from refused.items()
    if exam.exam_type not in preset.exam_types:
        choices = " or ".join(preset.exam_types)
        yield "exam_type", f"{exam.exam_type!r} does not fit this preset; use {choices}"
    if not refused and _is_foreign(exam):
        yield "usage_key", f"is no part of the course {exam.course_key}"


def _is_foreign(exam: Exam) -> bool:
    try:
        home = UsageKey.from_string(exam.usage_key).course_key
    except InvalidKeyError:
        return False
    return home.run is not None and str(home) != exam.course_key


def waits_in_vain(event_type: str, rules: Iterable[Rule]) -> bool:
    """Does it wait for a timed exam to be verified?"""
    return event_type == _VERIFIED and any(
        rule.path == "exam_type" and TIMED in _expected(rule) for rule in rules
    )


def _expected(rule: Rule) -> Sequence[str]:
    if rule.operator == "eq":
        return [rule.value]
    return split_list(rule.value) if rule.operator == "in" else []
