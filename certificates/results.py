"""What a retriever gave, read strictly: other people's code may give anything."""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final

import attrs
import orjson

from certificates.retrievers.base import Evaluated, RetrievalError
from credentials.database import storable

_MOST_DETAILS: Final = 10_000  # characters, of one learner
_LONGEST_TEXT: Final = 255
_LARGEST_ID: Final = 2**63 - 1
_KNOWN: Final = ("is_eligible", "username", "email", "name", "fault")
_JSON: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS


@attrs.frozen
class Finding:
    """What was found out about one learner, in values that every database takes. `details` is JSON
    text. With a `fault` nothing was found out.
    """

    lms_user_id: int
    is_eligible: bool
    details: str = "{}"
    username: str = ""
    email: str = ""
    name: str = ""
    fault: str = ""


def read(given: Any) -> Iterator[Finding]:
    """The findings in what a retriever returned, one by one as they come. Raises RetrievalError
    where something tells of nobody; and whatever the retriever itself raises.
    """
    if isinstance(given, Mapping):
        given = given.items()
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise RetrievalError(f"The retriever gave {_kind(given)} instead of learners.")
    for each in given:
        yield _finding(_evaluated(each))


def _evaluated(given: Any) -> Evaluated:
    if isinstance(given, Evaluated):
        return given
    if not isinstance(given, tuple) or [type(each) for each in given[1:]] != [dict]:
        raise RetrievalError(f"The retriever gave {_kind(given)} instead of a learner.")
    lms_user_id, told = given
    if "is_eligible" not in told and not told.get("fault"):
        return Evaluated(lms_user_id, is_eligible=False, fault="The retriever left out is_eligible")
    known = {key: told[key] for key in _KNOWN if key in told}
    details = {key: value for key, value in told.items() if key not in _KNOWN}
    return Evaluated(lms_user_id, **{"is_eligible": False, **known}, details=details)


def _finding(given: Evaluated) -> Finding:
    who = given.lms_user_id
    if type(who) is not int or not 0 < who <= _LARGEST_ID:
        raise RetrievalError(f"The retriever gave {_kind(who)} instead of a learner's LMS id.")
    details = _json(given.details)
    fault = _text(given.fault) or _fault(given, details)
    if fault or details is None:
        return Finding(who, is_eligible=False, fault=storable(fault))
    return Finding(
        who,
        is_eligible=given.is_eligible,
        details=details,
        username=storable(_text(given.username), length=_LONGEST_TEXT),
        email=storable(_text(given.email), length=_LONGEST_TEXT),
        name=storable(_text(given.name), length=_LONGEST_TEXT),
    )


def _fault(given: Evaluated, details: str | None) -> str:
    verdict: Any = given.is_eligible
    if not isinstance(verdict, bool):
        return f"The retriever gave {_kind(verdict)} for is_eligible"
    if details is None:
        return "The retriever gave details that are no JSON object"
    if len(details) > _MOST_DETAILS:
        return f"The retriever gave details of more than {_MOST_DETAILS} characters"
    return ""


def _json(details: Any) -> str | None:
    """None when it is no JSON object."""
    if not isinstance(details, Mapping):
        return None
    if not details:
        return "{}"
    try:
        return orjson.dumps(dict(details), option=_JSON).decode()
    except (orjson.JSONEncodeError, RecursionError):
        return None


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _kind(given: Any) -> str:
    """Of what type it is: the value itself might name somebody."""
    return "nothing" if given is None else f"something of the type {type(given).__name__}"


class Spool:
    """Findings on disk: whoever writes them all first changes nobody when the last page fails, and
    holds none of them in memory.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, found: Finding) -> None:
        self._file.write(orjson.dumps(attrs.astuple(found, recurse=False)) + b"\n")

    def batches(self, size: int) -> Iterator[list[Finding]]:
        self._file.seek(0)
        batch: list[Finding] = []
        for line in self._file:
            batch.append(Finding(*orjson.loads(line)))
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch
