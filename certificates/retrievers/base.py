"""The interface between a schedule and the source it asks."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import attrs


@attrs.frozen
class Evaluated:
    """What a source says of one learner. `username`, `email` and `name` as far as it knows them;
    blank ones change nothing. `fault`: why this learner could not be judged; the run counts the
    learner as failed and goes on with the others.
    """

    lms_user_id: int
    is_eligible: bool
    details: Mapping[str, Any] = attrs.field(factory=dict)
    username: str = ""
    email: str = ""
    name: str = ""
    fault: str = ""


class Retriever(Protocol):
    """`options_schema`: JSON schema (2020-12) of its options, defaults included; admin makes the
    form from it. `contexts`: the kinds of context it understands.
    """

    options_schema: Mapping[str, Any]
    contexts: frozenset[str]  # of "course", "lesson", "pathway"

    def __call__(
        self, context_key: str, options: Mapping[str, Any], *, learner: int | None = None
    ) -> Iterable[Evaluated]:
        """Everybody of the context, or only the learner of this LMS id; streamed, page by page.
        Raises RetrievalError when a page cannot be had: then nobody is changed.
        """


class RetrievalError(Exception):
    """The source did not answer, or not as agreed; the message is shown in admin, without
    personal data.
    """
