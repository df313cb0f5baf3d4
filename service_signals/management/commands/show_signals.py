"""`show_signals`: which app tells what to whom."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from service_signals.chart import as_dot, as_text
from service_signals.signal import declared


class Command(BaseCommand):
    help = "Show every service signal, what it provides and which handlers hear of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dot", action="store_true", help="as a Graphviz graph: show_signals --dot | dot -Tsvg"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signals = [each for each in declared().values() if each.is_wired]
        self.stdout.write((as_dot if options["dot"] else as_text)(signals), ending="")
