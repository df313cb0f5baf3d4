"""What the commands that work with whole organizations share: choose, run here, say the result."""

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial
from typing import Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from credentials.models import CredlyOrganization, CredlyRun
from credentials.models.run import UNFINISHED, in_words
from credentials.providers.credly import runs

_POLL: Final = 0.5  # seconds


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--organization", type=UUID, help="only this one (its id at Credly)")


def work_all(
    command: BaseCommand, *, organization: UUID | None, kind: str, limit_share: float | None = None
) -> None:
    """One run for each organization, in this process. Raises CommandError when one fails, after
    all were tried.
    """
    rows = CredlyOrganization.objects.order_by("id")
    if organization:
        rows = rows.filter(uuid=organization)
        if not rows:
            raise CommandError(f"No organization {organization} is configured.")
    failed = []
    for each in rows:
        run = runs.request(each, kind=kind, now=timezone.now(), limit_share=limit_share, tell=False)
        # Somebody else may be at this organization, or the sweep has given the run to a worker.
        while not runs.work(run.pk, clock=timezone.now, watch=partial(_show, command, each)):
            run.refresh_from_db()
            if run.state not in UNFINISHED:
                break
            time.sleep(_POLL)
        run.refresh_from_db()
        if run.counts:
            command.stdout.write(f"{each}: {in_words(run.counts)}")
        if run.state != CredlyRun.State.DONE:
            failed.append(f"{each}: {run.message}")
    if failed:
        raise CommandError("\n".join(failed))


def _show(
    command: BaseCommand, organization: CredlyOrganization, counts: Mapping[str, int]
) -> None:
    """How far it is, over and over in one line; only for a person who looks on."""
    if command.stdout.isatty():
        command.stdout.write(f"{organization}: {in_words(counts)}", ending="\r")
        command.stdout.flush()
