"""Telling the workers that there is something to do. A task is only a hint: the rows say what is
due, and a sweep finds them. So a task that cannot be queued is late, never lost.

Note [A hint costs nothing]
    Whoever gives one has committed its work and has more to do: a consumer its next batch, a web
    process its answer. So it is tried once, over a connection with time-outs of its own: those of
    the workers are patient. When the broker does not take it, no other hint is tried for a while,
    in which time giving one costs nothing at all. Whatever went wrong, nobody but the log and a
    metric hears of it.
"""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import attrs
import structlog
from celery import current_app
from django.conf import settings
from kombu import Producer, pools

log = structlog.get_logger(__name__)

_SECONDS: Final = 0.4  # for a connection, and for each answer
_CONNECTION: Final = {
    "socket_connect_timeout": _SECONDS,
    "socket_timeout": _SECONDS,
    "max_retries": 0,
}
_SHARE: Final = 0.04  # of the time at most goes into failures: looking up a name may take long
_PER_HINT: Final = 100  # due issuances
_MOST_HINTS: Final = 10  # of one commit: so many processes may be idle
_HINT_LIVES: Final = 60  # seconds: by then the sweep has come by


def carry_out(issuance_ids: Sequence[int]) -> None:
    """Something is due. The tasks take up whatever is due, in a fair order, not just this."""
    hints = -(-len(issuance_ids) // _PER_HINT)
    for _ in range(min(hints, _MOST_HINTS)):
        issue()


def issue() -> None:
    send("credentials.tasks.issue", [], expires=_HINT_LIVES)


def publish() -> None:
    send("credentials.tasks.publish", [])


def work_webhook(webhook_id: int) -> None:
    send("credentials.tasks.work_webhook", [webhook_id])


def work_run(run_id: int) -> None:
    send("credentials.tasks.work_run", [run_id])


def send(task: str, arguments: list[object], *, expires: float | None = None) -> None:
    """Queue a task of any app, by its dotted path. `expires`: seconds after which nobody needs it
    any more.
    """
    if time.monotonic() < _broker.away_until:
        _broker.unsent += 1
        return
    began = time.monotonic()
    try:
        with _producer() as producer:
            current_app.send_task(task, args=arguments, expires=expires, producer=producer)
    except Exception as error:  # noqa: BLE001 -- see Note [A hint costs nothing]
        took = time.monotonic() - began
        _broker.unsent += 1
        _broker.away_until = time.monotonic() + max(
            settings.TASK_QUEUE_PAUSE_SECONDS, took / _SHARE
        )
        log.warning(
            "no tasks queued for a while: the sweep will find their rows",
            error=repr(error),
            task=task,
        )
    else:
        if _broker.away_until:
            _broker.away_until = 0.0
            log.info("tasks are queued again", unsent=_broker.unsent)


def unsent() -> int:
    """How many tasks could not be queued since this process started."""
    return _broker.unsent


def forget() -> None:
    """Know as little as a new process."""
    _broker.away_until, _broker.unsent = 0.0, 0


@attrs.define
class _Broker:
    """What this process knows of it."""

    away_until: float = 0.0  # by time.monotonic; 0: it took the last task
    unsent: int = 0


_broker: Final = _Broker()


def _producer() -> AbstractContextManager[Producer]:
    connection = current_app.connection_for_write(transport_options=_CONNECTION)
    producers: Any = pools.producers[connection]
    acquired: AbstractContextManager[Producer] = producers.acquire(block=True, timeout=_SECONDS)
    return acquired
