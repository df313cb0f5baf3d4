"""`completions`: how much of a course, or of one block of it, has a learner completed?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from certificates.platform.answers import Completion
from certificates.platform.api import Platform
from certificates.retrievers.base import Evaluated, RetrievalError, declare
from certificates.retrievers.common import (
    REQUIRED_COMPLETION,
    Place,
    asking,
    evaluated,
    place,
    username_of,
)

log = structlog.get_logger(__name__)

AGGREGATED: Final = ("chapter", "sequential", "vertical")


@declare(
    contexts=("course", "lesson"),
    options_schema={
        "type": "object",
        "description": "How much of a course, or of a lesson, somebody has completed.",
        "properties": {"required_completion": REQUIRED_COMPLETION},
    },
)
def completions(
    context_key: str, options: Mapping[str, Any], *, learner: int | None = None
) -> Iterator[Evaluated]:
    where, required = place(context_key), options["required_completion"]
    with asking() as asked:
        username = username_of(learner, asked=asked)
        if username is None:
            return
        for page in completion_pages(where, username=username, asked=asked):
            yield from _judged(page, where=where, required=required, asked=asked)


def completion_pages(
    where: Place, *, username: str, asked: Platform
) -> Iterator[Sequence[Completion]]:
    """Raises RetrievalError for a block whose completion nobody adds up."""
    if where.block and where.block_type not in AGGREGATED:
        raise RetrievalError(
            f"The completion of a {where.block_type} is not known, only of {', '.join(AGGREGATED)}"
        )
    yield from asked.completions(
        where.course_key, block=where.block, block_type=where.block_type, username=username
    )


def _judged(
    page: Sequence[Completion], *, where: Place, required: float, asked: Platform
) -> Iterator[Evaluated]:
    """Completion is told by username; one more call gives the accounts of a page."""
    accounts = asked.accounts(each.username for each in page)
    for completion in page:
        account = accounts.get(completion.username)
        if account is None:
            log.warning("completion_without_account", course=where.course_key)
            continue
        yield evaluated(
            account,
            unmet=["completion"] if completion.ratio < required else [],
            details={"completion": completion.ratio},
            fault=completion.fault,
        )
