"""`completions_and_grades`: both at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from certificates.platform.answers import Grades
from certificates.retrievers import grading
from certificates.retrievers.base import Evaluated, declare
from certificates.retrievers.common import (
    REQUIRED_COMPLETION,
    REQUIRED_GRADES,
    addressed,
    asking,
    evaluated,
    place,
    username_of,
)
from certificates.retrievers.completions import completion_pages
from certificates.retrievers.grades import Score, scored, scoring


@declare(
    contexts=("course", "lesson"),
    options_schema={
        "type": "object",
        "description": "Completion and grades: both have to be reached.",
        "properties": {
            "required_completion": REQUIRED_COMPLETION,
            "required_grades": REQUIRED_GRADES,
        },
        "required": ["required_grades"],
    },
)
def both(
    context_key: str, options: Mapping[str, Any], *, learner: int | None = None
) -> Iterator[Evaluated]:
    """The two lists come in different orders: completion is kept, a number for each learner, and
    the gradebook, which also knows the accounts, goes by in pages.
    """
    where = place(context_key)
    with asking() as asked:
        username = username_of(learner, asked=asked)
        if username is None:
            return
        score = scoring(where, required=options["required_grades"], asked=asked)
        completed = {
            each.username: each.fault or each.ratio
            for page in completion_pages(where, username=username, asked=asked)
            for each in page
        }
        for page in asked.gradebook(where.course_key, username=username):
            judged = [
                _judged(
                    entry,
                    completed=completed.get(entry.account.username, 0.0),
                    options=options,
                    score=score,
                )
                for entry in page
            ]
            yield from addressed(judged, asked=asked)


def _judged(
    entry: Grades, *, completed: float | str, options: Mapping[str, Any], score: Score
) -> Evaluated:
    """`completed`: how much, or why that is not known."""
    reached, fault = scored(entry, score=score)
    done, odd = (0.0, completed) if isinstance(completed, str) else (completed, "")
    short = ["completion"] if done < options["required_completion"] else []
    return evaluated(
        entry.account,
        unmet=[*short, *grading.unmet(options["required_grades"], reached)],
        details={"completion": done, "grades": reached},
        fault=fault or odd,
    )
