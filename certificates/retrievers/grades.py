"""`grades`: has a learner the grades of a course, or the grade of one subsection of it?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from certificates.platform.answers import Category, Grades, Section
from certificates.platform.api import Platform
from certificates.retrievers import grading
from certificates.retrievers.base import Evaluated, RetrievalError, declare
from certificates.retrievers.common import (
    REQUIRED_GRADES,
    Place,
    addressed,
    asking,
    evaluated,
    place,
    username_of,
)

GRADED: Final = "sequential"
Score = Callable[[Sequence[Section]], Mapping[str, float]]
"""Raises LookupError for a learner whose sections do not fit."""


@declare(
    contexts=("course", "lesson"),
    options_schema={
        "type": "object",
        "description": "Which grades somebody has reached, weighted by the grading policy.",
        "properties": {"required_grades": REQUIRED_GRADES},
        "required": ["required_grades"],
    },
)
def grades(
    context_key: str, options: Mapping[str, Any], *, learner: int | None = None
) -> Iterator[Evaluated]:
    where, required = place(context_key), options["required_grades"]
    with asking() as asked:
        username = username_of(learner, asked=asked)
        if username is None:
            return
        score = scoring(where, required=required, asked=asked)
        for page in asked.gradebook(where.course_key, username=username):
            yield from addressed(
                [_judged(entry, required=required, score=score) for entry in page], asked=asked
            )


def _judged(entry: Grades, *, required: Mapping[str, float], score: Score) -> Evaluated:
    reached, fault = scored(entry, score=score)
    return evaluated(
        entry.account,
        unmet=grading.unmet(required, reached),
        details={"grades": reached},
        fault=fault,
    )


def scoring(where: Place, *, required: Mapping[str, float], asked: Platform) -> Score:
    """How sections become grades here. Raises RetrievalError for grades that nobody can have."""
    known: Sequence[Category] = ()
    if where.block:
        if where.block_type != GRADED:
            raise RetrievalError(f"A {where.block_type} has no grade, only a {GRADED} has one")
        score: Score = partial(_of_block, where.block)
    else:
        known = asked.grading_policy(where.course_key)
        score = partial(grading.scores, known)
    names = {grading.TOTAL, *(each.name for each in known)}
    if unknown := sorted(set(required) - names):
        raise RetrievalError(
            f"There is no grade of {', '.join(unknown)} here, only of {', '.join(sorted(names))}"
        )
    return score


def scored(entry: Grades, *, score: Score) -> tuple[Mapping[str, float], str]:
    """The grades of one learner, and why there are none."""
    if entry.fault:
        return {}, entry.fault
    try:
        return score(entry.sections), ""
    except LookupError as error:
        return {}, str(error)


def _of_block(block: str, sections: Sequence[Section]) -> Mapping[str, float]:
    for section in sections:
        if section.usage_key == block:
            return {grading.TOTAL: section.percent}
    raise LookupError("the gradebook has no grade of this lesson: is it graded?")
