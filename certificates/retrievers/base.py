"""The interface between a schedule and the source it asks."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

CONTEXTS: Final = ("course", "lesson", "pathway")


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


Result = Evaluated | tuple[int, Mapping[str, Any]]
"""The second form is `(lms_user_id, {"is_eligible": bool, ...})`: `username`, `email`, `name` and
`fault` as above, every other key is a detail.
"""


class Retriever(Protocol):
    """`options_schema`: JSON schema (2020-12) of its options, defaults included; admin makes the
    form from it. `contexts`: the kinds of context it understands.
    """

    @property
    def options_schema(self) -> Mapping[str, Any]: ...

    @property
    def contexts(self) -> frozenset[str]: ...

    def __call__(
        self, context_key: str, options: Mapping[str, Any], *, learner: int | None = None
    ) -> Iterable[Result] | Mapping[int, Mapping[str, Any]]:
        """Everybody of the context, or only the learner of this LMS id; best streamed, page by
        page. A mapping of LMS ids is as good as its items. `options` have their defaults and fit
        the schema. Raises RetrievalError when a page cannot be had: then nobody is changed.
        """


A_co = TypeVar("A_co", covariant=True)


class Ask(Protocol[A_co]):
    def __call__(
        self, context_key: str, options: Mapping[str, Any], *, learner: int | None = None
    ) -> A_co: ...


@attrs.frozen
class Declared(Generic[A_co]):
    """A function with what a Retriever needs beside it."""

    ask: Ask[A_co]
    options_schema: Mapping[str, Any]
    contexts: frozenset[str]

    def __call__(
        self, context_key: str, options: Mapping[str, Any], *, learner: int | None = None
    ) -> A_co:
        return self.ask(context_key, options, learner=learner)


def declare(
    *, options_schema: Mapping[str, Any], contexts: Iterable[str]
) -> Callable[[Ask[A_co]], Declared[A_co]]:
    """Makes a retriever of a function. Attributes of its own would do as well."""
    return lambda ask: Declared(ask, options_schema, frozenset(contexts))


class RetrievalError(Exception):
    """The source did not answer, or not as agreed; the message is shown in admin, without
    personal data.
    """
