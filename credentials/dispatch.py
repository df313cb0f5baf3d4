"""Telling the workers that there is something to do. A task is only a hint: the rows say what is
due, and a sweep finds them. So a task that cannot be queued is late, never lost.
"""

from collections.abc import Sequence
from typing import Final

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

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
    try:
        current_app.send_task(task, args=arguments, expires=expires)
    except (OperationalError, OSError) as error:
        log.warning("task not queued, the sweep will find its rows", task=task, error=repr(error))
