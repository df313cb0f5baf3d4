"""Findings on their way through a file."""

import io
from typing import Any

import pytest

from certificates.retrievers.base import Evaluated, RetrievalError
from certificates.spool import Finding, Spool, finding


def test_what_goes_in_comes_out_in_batches() -> None:
    spool = Spool(io.BytesIO())
    found = [Finding(each, is_eligible=each % 2 == 0, name=f"Ńame\n{each}") for each in range(1, 6)]
    for each in found:
        spool.add(each)
    batches = list(spool.batches(2))
    assert [len(each) for each in batches] == [2, 2, 1]
    assert [each for batch in batches for each in batch] == found


def test_nothing_in_nothing_out() -> None:
    assert list(Spool(io.BytesIO()).batches(2)) == []


def test_texts_are_made_fit_for_every_database() -> None:
    told = Evaluated(11, is_eligible=True, username="a\x00nn", name="L\ud800" + "x" * 300)
    found = finding(told)
    assert found.username == "ann"
    assert (found.name[:2], len(found.name)) == ("L?", 255)


def test_equal_details_are_equal_text() -> None:
    one, two = ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    texts = {finding(Evaluated(11, is_eligible=True, details=each)).details for each in (one, two)}
    assert texts == {'{"a":1,"b":{"c":2,"d":3}}'}


@pytest.mark.parametrize("details", [{"a": 2**64}, {"a": "\ud800"}, {"a": "x" * 10_000}])
def test_details_that_cannot_be_kept_are_that_learners_fault(details: dict[str, Any]) -> None:
    found = finding(Evaluated(11, is_eligible=True, details=details, username="ann"))
    assert (found.is_eligible, found.username, found.details) == (False, "ann", "{}")
    assert "details" in found.fault


def test_an_id_that_no_database_takes_fails_the_run() -> None:
    assert finding(Evaluated(2**63 - 1, is_eligible=True)).lms_user_id == 2**63 - 1
    with pytest.raises(RetrievalError):
        finding(Evaluated(2**63, is_eligible=True))
