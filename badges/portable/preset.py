"""A requirement written as a preset: `{id, preset, course_key, usage_key, exam_type}`. What it
stands for is written out when it is exported.
"""

from collections.abc import Iterable
from typing import Final

from badges.models import BadgeRequirement
from badges.portable.cursor import Found, Keys, Notes, column, read_id
from badges.portable.definitions import PenaltyDef, RequirementDef, RuleDef
from badges.portable.tree import Mapping
from badges.presets import PRESETS, Exam, Preset, faults, penalties_of

_KEYS: Final = (
    "id",
    "preset",
    "course_key",
    "usage_key",
    "exam_type",
    "group",
    "description",
)
_LONGEST: Final = 100  # characters of an id


def is_one(at: Found) -> bool:
    return isinstance(at.node, Mapping) and "preset" in at.node.items


def requirement(at: Found, notes: Notes) -> tuple[Keys, RequirementDef]:
    keys = Keys(at, known=_KEYS, notes=notes)
    preset = PRESETS.get(keys.choice("preset", choices=PRESETS))
    id_ = read_id(keys, BadgeRequirement)
    exam = _exam(keys, preset)
    if preset is not None and exam.course_key and exam.usage_key:
        for name, message in faults(preset, exam):
            keys.note(name, message)
    if preset is not None:
        too_long = [e for e in penalties_of(preset, requirement_id=id_) if len(e.id) > _LONGEST]
        if too_long:
            keys.note("id", f"too long: its penalty would be {too_long[0].id!r}")
    return keys, RequirementDef(
        id=id_,
        event_type=preset.event_type if preset else "",
        group=keys.text("group", column=column(BadgeRequirement, "group")),
        description=keys.text("description", column=column(BadgeRequirement, "description")),
        rules=_rules(exam),
    )


def penalties(items: Iterable[Found]) -> list[PenaltyDef]:
    """Those that the presets among the requirements make. Faults were noted by `requirement`."""
    silent = Notes()
    made: list[PenaltyDef] = []
    for at in filter(is_one, items):
        keys, definition = requirement(at, silent)
        preset = PRESETS.get(keys.choice("preset", choices=PRESETS))
        made += [
            PenaltyDef(
                id=each.id,
                event_type=each.event_type,
                resets=(definition.id,),
                rules=definition.rules,
            )
            for each in (penalties_of(preset, requirement_id=definition.id) if preset else ())
        ]
    return made


def _exam(keys: Keys, preset: Preset | None) -> Exam:
    usual = preset.exam_types[0] if preset else ""
    return Exam(
        course_key=keys.text("course_key", required=True),
        usage_key=keys.text("usage_key", required=True),
        exam_type=keys.text("exam_type") or usual,
    )


def _rules(exam: Exam) -> tuple[RuleDef, ...]:
    return tuple(RuleDef(each.path, each.operator, each.value) for each in exam.rules)
