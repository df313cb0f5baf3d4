"""Asking any retriever, ours or another's: whatever comes back is checked here, once."""

import json
import math
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import structlog

from certificates.options import faults, with_defaults
from certificates.plugins import UnknownPluginError
from certificates.retrievers.base import Evaluated, RetrievalError
from certificates.retrievers.registry import retriever

log = structlog.get_logger(__name__)

_PLAIN: Final = frozenset({str, int, bool, type(None)})
_ABOUT: Final = ("username", "email", "name", "fault")


def evaluate(
    slug: str, *, context_key: str, options: Mapping[str, Any], learner: int | None = None
) -> Iterator[Evaluated]:
    """What a retriever says of everybody, or of one learner: each learner once, streamed.

    `options`: merged from all their layers; defaults are filled in here. Raises RetrievalError for
    whatever goes wrong: unknown retriever, bad options, a page that cannot be had, garbage. A
    single learner's garbage is that learner's `fault`.
    """
    try:
        asked = retriever(slug)
    except UnknownPluginError as error:
        raise RetrievalError(f"The retriever {error}") from error
    filled = with_defaults(asked.options_schema, options)
    for path, message in faults(asked.options_schema, filled).items():
        raise RetrievalError(f"The options of {slug}: {path} {message}")
    seen: set[int] = set()
    for each in _results(slug, partial(asked, context_key, filled, learner=learner)):
        result = _normal(slug, each)
        # Somebody who moves between two pages, or whom the source lists twice, counts once.
        if result.lms_user_id in seen or learner not in (None, result.lms_user_id):
            continue
        seen.add(result.lms_user_id)
        yield result


def _results(slug: str, ask: Callable[[], Any]) -> Iterator[Any]:
    """Whatever a retriever raises while it is asked is a RetrievalError."""
    try:
        answer = ask()
        yield from answer.items() if isinstance(answer, Mapping) else answer
    except RetrievalError:
        raise
    except Exception as error:
        # Code of others: its message may quote a learner, so where and what kind is told, no more.
        kind, where = type(error).__name__, traceback.format_tb(error.__traceback__)[-3:]
        log.error("retriever_failed", retriever=slug, error=kind, where=where)  # noqa: TRY400
        raise RetrievalError(f"The retriever {slug} failed: {type(error).__name__}") from error


def _normal(slug: str, result: Any) -> Evaluated:
    result = _typed(result)
    if not isinstance(result, Evaluated):
        raise RetrievalError(f"The retriever {slug} returned {_kind(result)} among its results")
    number: Any = result.lms_user_id
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise RetrievalError(f"The retriever {slug} returned {_kind(number)} as an LMS user id")
    wrong = _wrong(result)
    if wrong:
        return Evaluated(number, is_eligible=False, fault=f"the retriever {slug} {wrong}")
    return result


def _typed(result: Any) -> Any:
    """An Evaluated of the form `(lms_user_id, {...})`; anything else as it is."""
    match result:
        case (number, Mapping() as told):
            rest: dict[str, Any] = dict(told)
            about = {key: rest.pop(key) for key in _ABOUT if key in rest}
            is_eligible = rest.pop("is_eligible", False if about.get("fault") else None)
            return Evaluated(number, is_eligible=is_eligible, details=rest, **about)
        case _:
            return result


def _wrong(result: Any) -> str:
    """What makes no sense of one learner's result; blank: nothing."""
    if not isinstance(result.is_eligible, bool):
        return "did not say true or false"
    texts = (result.username, result.email, result.name, result.fault)
    if not all(map(_is_text, texts)):
        return "gave a name, an address or a fault that is no text"
    if not isinstance(result.details, Mapping):
        return "gave details that are no object"
    if _is_plain(result.details):
        return ""
    try:
        json.dumps(dict(result.details), allow_nan=False)
    except (TypeError, ValueError):
        return "gave details that are no JSON"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_plain(value: Any) -> bool:
    """Surely JSON. Most details are, and looking is cheaper than writing them."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    return type(value) in _PLAIN


def _kind(value: Any) -> str:
    return f"something of type {type(value).__name__}"
