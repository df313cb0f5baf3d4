"""Running the handlers: each in a savepoint, failures kept, nothing raised."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import structlog
from django.db import transaction

from service_signals.arguments import Arguments
from service_signals.redaction import redacted_traceback

log = structlog.get_logger(__name__)


@attrs.frozen
class Handler:
    """A function `handler(sender, *, argument, ..., **kwargs)`, and how the settings name it."""

    path: str
    function: Callable[..., object]


@attrs.frozen
class News:
    """One piece of news on its way to the handlers. `title` is what the log calls it."""

    signal: str
    title: str
    declared: Arguments
    sender: str
    arguments: Mapping[str, Any]
    correlation_id: str


@attrs.frozen
class Outcome:
    """What one handler made of one piece of news: what it returned, or why it failed."""

    handler: str
    news: News
    value: object = None
    error: Exception | None = None


class Results(list[Outcome]):
    """Filled once the handlers have run."""

    @property
    def failures(self) -> list[Outcome]:
        return [each for each in self if each.error is not None]


def deliver(news: Sequence[News], handlers: Sequence[Handler], results: Results) -> None:
    """Run every handler for all of `news`, and add to `results`. Opens a transaction for each run,
    or a savepoint where one is open. Raises nothing.
    """
    if log.isEnabledFor(logging.INFO):
        for each in news:
            shown = each.declared.to_log(each.arguments)
            names = {"signal": each.signal, "correlation_id": each.correlation_id}
            log.info(each.title, **(shown | names))
    for handler in handlers:
        outcomes = run(handler, news)
        results += outcomes
        _keep([each for each in outcomes if each.error is not None])


def run(handler: Handler, news: Sequence[News]) -> list[Outcome]:
    """All of `news` in one transaction; when that fails, each in one of its own, so that only
    what is at fault is lost.
    """
    if len(news) > 1:
        try:
            with transaction.atomic():
                return [_run(handler, each) for each in news]
        except Exception as error:  # noqa: BLE001 -- whatever it is, it comes again below
            _log(logging.INFO, "handler failed among others", handler, news[0], type(error))
    outcomes = []
    for each in news:
        try:
            with transaction.atomic():
                outcomes.append(_run(handler, each))
        except Exception as error:  # noqa: BLE001 -- told, kept, and no business of the sender
            outcomes.append(Outcome(handler.path, each, error=error))
    return outcomes


def _run(handler: Handler, news: News) -> Outcome:
    _log(logging.DEBUG, "handler starts", handler, news)
    value = handler.function(news.sender, **news.arguments)
    _log(logging.DEBUG, "handler ended", handler, news)
    return Outcome(handler.path, news, value=value)


def _log(
    level: int, text: str, handler: Handler, news: News, error: type[Exception] | None = None
) -> None:
    if log.isEnabledFor(level):
        extra = {} if error is None else {"error": error.__name__}
        log.log(
            level,
            text,
            handler=handler.path,
            signal=news.signal,
            correlation_id=news.correlation_id,
            **extra,
        )


def traceback_of(failed: Outcome) -> str:
    """Without anything personal; empty when it did not fail."""
    if failed.error is None:
        return ""
    personal = failed.news.declared.personal_texts(failed.news.arguments)
    return redacted_traceback(failed.error, personal=personal)


def _keep(failures: Sequence[Outcome]) -> None:
    """Log them, and store them to be replayed."""
    from service_signals.models import HandlerFailure  # signals are declared before models exist

    rows = []
    for each in failures:
        text = traceback_of(each)
        news = each.news
        log.error(
            "handler failed",
            handler=each.handler,
            signal=news.signal,
            correlation_id=news.correlation_id,
            traceback=text,
        )
        rows.append(
            HandlerFailure(
                signal=news.signal,
                handler=each.handler,
                sender=news.sender,
                arguments=news.declared.to_json(news.arguments),
                correlation_id=news.correlation_id,
                error=text,
            )
        )
    if rows:
        HandlerFailure.objects.bulk_create(rows)
