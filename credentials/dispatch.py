"""Telling the workers that there is something to do. A task is only a hint: the rows say what is
due, and a sweep finds them. So a task that cannot be queued is late, never lost.
"""

from collections.abc import Sequence
from typing import Final

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

_PER_TASK: Final = 100  # issuances that one task carries out


def carry_out(issuance_ids: Sequence[int]) -> None:
    for start in range(0, len(issuance_ids), _PER_TASK):
        send("credentials.tasks.carry_out", [list(issuance_ids[start : start + _PER_TASK])])


def publish() -> None:
    send("credentials.tasks.publish", [])


def work_webhook(webhook_id: int) -> None:
    send("credentials.tasks.work_webhook", [webhook_id])


def work_run(run_id: int) -> None:
    send("credentials.tasks.work_run", [run_id])


def send(task: str, arguments: list[object]) -> None:
    """A task of any app, by its dotted path."""
    try:
        current_app.send_task(task, args=arguments)
    except (OperationalError, OSError) as error:
        log.warning("task not queued, the sweep will find its rows", task=task, error=repr(error))
