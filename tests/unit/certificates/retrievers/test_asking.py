"""Any retriever may be asked: both forms of results, and whatever else may come back."""

from collections.abc import Iterator
from typing import Any, Final

import attrs
import pytest

from certificates import plugins
from certificates.retrievers.asking import evaluate
from certificates.retrievers.base import Evaluated, RetrievalError

SCHEMA: Final = {"type": "object", "properties": {"least": {"type": "number", "default": 0.5}}}


@attrs.define
class Third:
    """A retriever of somebody else; `answer` is what it gives."""

    answer: Any = None
    asked: Any = None
    options_schema: Any = attrs.field(factory=lambda: SCHEMA)
    contexts: frozenset[str] = frozenset({"course"})

    def __call__(self, context_key: str, options: Any, *, learner: int | None = None) -> Any:
        self.asked = (context_key, options, learner)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


third = Third()


@pytest.fixture(autouse=True)
def _third(settings: Any) -> Iterator[None]:
    settings.ELIGIBILITY_RETRIEVERS = {"third": f"{__name__}.third"}
    plugins._loaded.cache_clear()
    yield
    plugins._loaded.cache_clear()


def ask(answer: Any, **about: Any) -> list[Evaluated]:
    third.answer = answer
    return list(evaluate("third", context_key="CK", options=about.pop("options", {}), **about))


ANN: Final = Evaluated(11, is_eligible=True, details={"grade": 0.9}, username="ann")


@pytest.mark.parametrize(
    "answer",
    [
        [ANN],
        (each for each in [ANN]),
        {11: {"is_eligible": True, "username": "ann", "grade": 0.9}},
        [(11, {"is_eligible": True, "username": "ann", "grade": 0.9})],
    ],
)
def test_both_forms(answer: Any) -> None:
    assert ask(answer) == [ANN]


def test_it_is_asked_with_its_defaults() -> None:
    ask([], learner=11)
    assert third.asked == ("CK", {"least": 0.5}, 11)


def test_lc_7_it_is_not_asked_with_bad_options() -> None:
    third.asked = None
    with pytest.raises(RetrievalError, match='third: least must be a number, not "x"'):
        ask([], options={"least": "x"})
    assert third.asked is None


def test_each_learner_counts_once_and_others_than_asked_for_do_not() -> None:
    bob = Evaluated(12, is_eligible=False)
    assert ask([ANN, bob, attrs.evolve(ANN, is_eligible=False)]) == [ANN, bob]
    assert ask([ANN, bob], learner=12) == [bob]


def test_an_unknown_retriever() -> None:
    with pytest.raises(RetrievalError, match="'fourth' is not known, known: third"):
        list(evaluate("fourth", context_key="CK", options={}))


def broken() -> Iterator[Evaluated]:
    yield ANN
    raise KeyError("ann@example.com")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "third failed: TypeError"),
        (42, "third failed: TypeError"),
        ("everybody", "something of type str among its results"),
        ([None], "something of type NoneType among its results"),
        ([{"is_eligible": True}], "something of type dict among its results"),
        ([("11", {"is_eligible": True})], "something of type str as an LMS user id"),
        ({True: {"is_eligible": True}}, "something of type bool as an LMS user id"),
        ({0: {"is_eligible": True}}, "as an LMS user id"),
        (ValueError("ann@example.com"), "third failed: ValueError$"),
        (broken(), "third failed: KeyError$"),
        (RetrievalError("the source is closed"), "^the source is closed$"),
    ],
)
def test_lc_11_garbage_is_reported(answer: Any, message: str) -> None:
    with pytest.raises(RetrievalError, match=message):
        ask(answer)


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({}, "true or false"),
        ({"is_eligible": 1}, "true or false"),
        ({"is_eligible": "yes"}, "true or false"),
        ({"is_eligible": True, "name": 7}, "no text"),
        ({"is_eligible": True, "fault": None}, "no text"),
        ({"is_eligible": True, "when": object()}, "no JSON"),
        ({"is_eligible": True, "grade": float("nan")}, "no JSON"),
    ],
)
def test_lc_11_garbage_of_one_learner_is_that_learners(told: Any, fault: str) -> None:
    odd, ann = ask([(12, told), ANN])
    assert (odd.lms_user_id, odd.is_eligible) == (12, False)
    assert fault in odd.fault
    assert ann == ANN


def test_details_that_are_no_object() -> None:
    no_object: Any = [1]
    (odd,) = ask([attrs.evolve(ANN, details=no_object)])
    assert "no object" in odd.fault
