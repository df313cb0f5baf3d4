"""`learning_path`: has a learner done what each course of a path demands?"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from certificates.options import merged, with_defaults
from certificates.retrievers.base import Evaluated, declare
from certificates.retrievers.common import REQUIRED_COMPLETION, REQUIRED_GRADES
from certificates.retrievers.completions import completions
from certificates.retrievers.completions_and_grades import both
from certificates.retrievers.grades import grades

_COMPLETION, _GRADES = "required_completion", "required_grades"
_DEMANDS: Final[Mapping[str, Any]] = {
    _COMPLETION: {**REQUIRED_COMPLETION, "type": ["number", "null"], "default": None},
    _GRADES: {**REQUIRED_GRADES, "type": ["object", "null"], "default": None},
}


_NOTHING: Final[Mapping[str, Any]] = {}


@attrs.define
class _Standing:
    """How a learner does on the path so far."""

    last: Evaluated
    met: tuple[str, ...] = ()
    fault: str = ""


@declare(
    contexts=("pathway",),
    options_schema={
        "type": "object",
        "description": "Whether somebody has done every course of a learning path.",
        "properties": {
            **_DEMANDS,
            "steps": {
                "type": "object",
                "title": "Steps",
                "description": "The key of each course of the path, and what differs there.",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        key: {name: value for name, value in part.items() if name != "default"}
                        for key, part in _DEMANDS.items()
                    },
                },
                "minProperties": 1,
                "examples": [
                    {
                        "course-v1:Acme+D101+2026": {},
                        "course-v1:Acme+D102+2026": {"required_completion": 0.5},
                    }
                ],
            },
        },
        "required": ["steps"],
    },
)
def learning_path(
    context_key: str, options: Mapping[str, Any], *, learner: int | None = None
) -> Iterator[Evaluated]:
    """Everybody who is in at least one of the courses, at the end: only then it is known who did
    them all. `context_key`, the path's own, is not looked at: the steps are in the options.
    """
    del context_key
    general = {key: options[key] for key in _DEMANDS}
    steps = {key: merged(general, own) for key, own in options["steps"].items()}
    standing: dict[int, _Standing] = {}
    for course_key, demands in steps.items():
        for each in _asked(course_key, demands=demands, learner=learner):
            person = attrs.evolve(each, details=_NOTHING)  # there may be many of them
            so_far = standing.setdefault(each.lms_user_id, _Standing(person))
            so_far.last = person
            if each.is_eligible:
                so_far.met = (*so_far.met, course_key)
            if each.fault:
                so_far.fault = f"{course_key}: {each.fault}"
    for found in standing.values():
        unmet = [key for key in steps if key not in found.met]
        yield attrs.evolve(
            found.last,
            is_eligible=not unmet and not found.fault,
            details={"steps": list(found.met), "unmet": unmet},
            fault=found.fault,
        )


def _asked(
    course_key: str, *, demands: Mapping[str, Any], learner: int | None
) -> Iterator[Evaluated]:
    """A step that demands grades only is not asked for completion; one that demands nothing at
    all is asked for the usual completion.
    """
    given = {key: value for key, value in demands.items() if value is not None}
    if _GRADES not in given:
        criterion = completions
    else:
        criterion = both if _COMPLETION in given else grades
    options = with_defaults(criterion.options_schema, given)
    yield from criterion(course_key, options, learner=learner)
