"""`platform_sandbox`: a local learning platform, for the demo, for tests and for trying out."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certificates.platform.sandbox import command
from certificates.platform.sandbox.world import WorldError


class Command(BaseCommand):
    help = "Serve a local learning platform that retrievers can ask."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            world = command.world_of(options)
            command.run(
                world, host=options["host"], port=options["port"], announce=self.stdout.write
            )
        except (WorldError, OSError) as error:
            raise CommandError(str(error)) from error
