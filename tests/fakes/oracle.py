"""A retriever that answers what the test told it. Named in ELIGIBILITY_RETRIEVERS."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from certificates.retrievers.base import Evaluated, Result, RetrievalError

PATH: Final = "tests.fakes.oracle.oracle"


class Oracle:
    """`scores`: completion by LMS id, as the platform would tell it; `answers`: given as they are
    instead. `breaks_after`: learners, then the source fails. `meanwhile`: done once while
    it answers.
    """

    contexts: Final = frozenset({"course", "lesson", "pathway"})
    options_schema: Final[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "required_completion": {
                "title": "Required completion",
                "description": "Share of the course, 0 to 1.",
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "default": 0.9,
            },
            "mode": {"title": "Mode", "type": "string", "enum": ["strict", "lenient"]},
            "only_active": {"title": "Only active", "type": "boolean", "default": True},
            "retake": {
                "title": "Retake",
                "type": "object",
                "properties": {
                    "limit": {"title": "Limit", "type": "integer", "minimum": 0, "default": 3},
                    "note": {"title": "Note", "type": "string"},
                },
            },
            "weights": {
                "title": "Weights",
                "description": "By category.",
                "type": "object",
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100},
            },
            "steps": {"title": "Steps", "type": "array", "items": {"type": "string"}},
        },
    }

    _EVALUATE: Final = object()

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.scores: dict[str, dict[int, float]] = {}
        self.answers: Any = self._EVALUATE
        self.breaks_after: int | None = None
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.meanwhile: Callable[[], object] | None = None

    def __call__(
        self,
        context_key: str,
        options: Mapping[str, Any],
        *,
        learner: int | None = None,  # noqa: ARG002 -- schedules ask about everybody
    ) -> Any:
        self.asked.append((context_key, options))
        if self.answers is not self._EVALUATE:
            return self.answers
        return self._evaluated(context_key, options)

    def _evaluated(self, context_key: str, options: Mapping[str, Any]) -> Iterator[Result]:
        for number, (lms_user_id, score) in enumerate(self.scores.get(context_key, {}).items()):
            if number == self.breaks_after:
                raise RetrievalError("GET page 2: HTTP 500")
            if self.meanwhile is not None:
                meanwhile, self.meanwhile = self.meanwhile, None
                meanwhile()
            yield Evaluated(
                lms_user_id,
                is_eligible=score >= options["required_completion"],
                details={"completion": score},
                username={11: "ann", 12: "bob", 13: "cid"}.get(lms_user_id, ""),
            )


oracle = Oracle()
