"""`completions_and_grades`: both at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from certificates.retrievers import grading
from certificates.retrievers.base import Evaluated, declare
from certificates.retrievers.common import (
    REQUIRED_COMPLETION,
    REQUIRED_GRADES,
    asking,
    evaluated,
    place,
    username_of,
)
from certificates.retrievers.completions import completion_pages, share
from certificates.retrievers.grades import scored, scoring


@declare(
    contexts=("course", "lesson"),
    options_schema={
        "type": "object",
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
    required, least = options["required_grades"], options["required_completion"]
    with asking() as asked:
        username = username_of(learner, asked=asked)
        if username is None:
            return
        score = scoring(where, required=required, asked=asked)
        completed = {
            each.username: each.fault or share(each, where=where)
            for page in completion_pages(where, username=username, asked=asked)
            for each in page
        }
        for entries in asked.gradebook(where.course_key, username=username):
            for entry in entries:
                reached, fault = scored(entry.sections, score=score, fault=entry.fault)
                told = completed.get(entry.account.username, 0.0)
                done = 0.0 if isinstance(told, str) else told
                if isinstance(told, str):
                    fault = fault or told
                yield evaluated(
                    entry.account,
                    unmet=[
                        *(["completion"] if done < least else []),
                        *grading.unmet(required, reached),
                    ],
                    details={"completion": done, "grades": reached},
                    fault=fault,
                )
