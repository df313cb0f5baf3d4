"""`manage.py replay_events`: failed messages again, or archived events for new rules."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from badges import filling, preview
from badges.filling import RulesChangedError
from badges.management.answers import archive_lines
from badges.management.choosing import find_template
from credentials.management.arguments import moment
from events import replay
from events.models import InboxEvent


class Command(BaseCommand):
    help = (
        "--dead tries every failed message now. --template fills a template from the archived "
        "events, with their own times; --since does that for all active templates with the events "
        "from then on. Doing it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--dead", action="store_true", help="failed and dead messages, now")
        what.add_argument("--template", type=UUID, metavar="UUID", help="an active template")
        what.add_argument("--since", type=moment, metavar="T", help="ISO 8601 with time zone")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument(
            "--limit-share",
            type=_share,
            default=0.2,
            help="stop when more than this share of the known learners would be awarded or "
            "revoked (default 0.2); 1 for no limit",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dead"]:
            self._retry(dry_run=options["dry_run"])
            return
        chosen = None if options["template"] is None else [_active(options["template"])]
        self._fill(
            chosen,
            since=options["since"],
            limit=options["limit_share"],
            dry_run=options["dry_run"],
        )

    def _retry(self, *, dry_run: bool) -> None:
        rows = InboxEvent.objects.filter(state__in=[InboxEvent.State.FAILED, InboxEvent.State.DEAD])
        keys = list(rows.order_by("id").values_list("pk", flat=True))
        if dry_run:
            self.stdout.write(f"dry run: {len(keys)} messages would be tried again")
            return
        processed = sum(replay.retry(key, now=timezone.now()) for key in keys)
        self.stdout.write(f"{processed} processed, {len(keys) - processed} failed again")

    def _fill(
        self, chosen: Collection[int] | None, *, since: datetime | None, limit: float, dry_run: bool
    ) -> None:
        now = timezone.now()
        past = filling.prepare(chosen, since=since)
        answer = preview.against_archive(past, now=now)
        for line in archive_lines(answer):
            self.stdout.write(line)
        if dry_run:
            above = f"; {answer.share:.0%} is above the limit of {limit:.0%}"
            over = above if answer.share > limit else ""
            self.stdout.write(f"dry run: nothing was written{over}")
            return
        if answer.share > limit:
            raise CommandError(
                f"That is {answer.share:.0%} of the learners, and the limit is {limit:.0%}: "
                "nothing was written. To go on all the same, repeat it with --limit-share 1."
            )
        try:
            done = filling.fill(past, now=now)
        except RulesChangedError:
            raise CommandError(
                "Rules were edited meanwhile. What was written until then is sound; run it again."
            ) from None
        self.stdout.write(
            f"done: {done.awarded} awarded, {done.revoked} revoked, {done.blocked} blocked"
        )


def _active(uuid: UUID) -> int:
    """Raises CommandError."""
    template = find_template(uuid)
    if not template.is_active:
        raise CommandError(
            f"{template} is not active: activate it first, or try it with badges_preview."
        )
    return template.pk


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return share
