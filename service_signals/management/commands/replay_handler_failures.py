"""`replay_handler_failures`: run the handlers that failed again."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from service_signals.models import HandlerFailure
from service_signals.replay import Verdict, replay


class Command(BaseCommand):
    help = "Run the handlers of service signals that failed again, oldest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", metavar="ID", nargs="*", type=int, help="default: all open ones")
        parser.add_argument("--handler", help="only failures of this handler (dotted path)")
        parser.add_argument("--dry-run", action="store_true", help="list them, run nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = HandlerFailure.objects.filter(state=HandlerFailure.State.OPEN)
        if options["ids"]:
            rows = rows.filter(pk__in=options["ids"])
        if options["handler"]:
            rows = rows.filter(handler=options["handler"])
        verdicts: Counter[Verdict] = Counter()
        for key, text in [(row.pk, str(row)) for row in rows.order_by("id")]:
            if options["dry_run"]:
                self.stdout.write(f"{key} {text}: open")
                continue
            done = replay(key, now=timezone.now())
            verdicts[done.verdict] += 1
            why = f" ({done.why})" if done.why else ""
            self.stdout.write(f"{key} {text}: {done.verdict.value}{why}")
        told = [f"{count} {verdict.value}" for verdict, count in verdicts.items()]
        self.stdout.write(", ".join(told) if told else "nothing was replayed")
