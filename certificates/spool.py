"""Findings on disk: whoever has them all before anybody is told changes nobody when the last page
fails, and holds none of them in memory.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import IO, Final

import attrs
import orjson

from certificates.retrievers.base import Evaluated, RetrievalError
from credentials.database import storable

_MOST_DETAILS: Final = 10_000  # characters, of one learner
_LONGEST_TEXT: Final = 255
_LARGEST_ID: Final = 2**63 - 1
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


_columns = attrgetter(*(each.name for each in attrs.fields(Finding)))


def finding(told: Evaluated) -> Finding:
    """`told` as certificates.retrievers.asking gives it. Raises RetrievalError for an id that is
    none.
    """
    if told.lms_user_id > _LARGEST_ID:
        raise RetrievalError("The retriever gave an LMS user id that is too large")
    fault, details = told.fault, "{}"
    username = storable(told.username, length=_LONGEST_TEXT)
    if not fault and told.details:
        try:
            details = orjson.dumps(dict(told.details), option=_JSON).decode()
        except orjson.JSONEncodeError:  # half a character, a number beyond 64 bits
            fault = "the retriever gave details that cannot be stored"
    if len(details) > _MOST_DETAILS:
        fault = f"the retriever gave details of more than {_MOST_DETAILS} characters"
    if fault:
        return Finding(
            told.lms_user_id, is_eligible=False, username=username, fault=storable(fault)
        )
    return Finding(
        told.lms_user_id,
        is_eligible=told.is_eligible,
        details=details,
        username=username,
        email=storable(told.email, length=_LONGEST_TEXT),
        name=storable(told.name, length=_LONGEST_TEXT),
    )


class Spool:
    """Written once, then read once, in batches."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, found: Finding) -> None:
        self._file.write(orjson.dumps(_columns(found)) + b"\n")

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
