"""What the commands that work with whole organizations share: choose, run here, say the result."""

from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from credentials.models import CredlyOrganization, CredlyRun
from credentials.models.run import in_words
from credentials.providers.credly import runs


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
        run = runs.request(each, kind=kind, now=timezone.now(), limit_share=limit_share)
        if not runs.work(run.pk, clock=timezone.now, watch=partial(_show, command, each)):
            failed.append(f"{each}: another run is under way; this one is done after it.")
            continue
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
