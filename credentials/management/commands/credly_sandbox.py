"""`credly_sandbox`: a local Credly, for the demo, for tests and for trying things out."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from credly_client.sandbox import command


class Command(BaseCommand):
    help = "Serve a local Credly with a page that shows what it holds."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        command.run(
            host=options["host"],
            port=options["port"],
            state_file=options["state"],
            announce=self.stdout.write,
        )
