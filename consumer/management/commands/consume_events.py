"""`consume_events`: the ecosystem's command, with an exit status that tells the truth."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Consume events from the event bus until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("-t", "--topic", required=True, help="topic, without the prefix")
        parser.add_argument("-g", "--group_id", required=True, help="consumer group")
        parser.add_argument(
            "--extra",
            default="{}",
            help='JSON object of further options, for example {"topics": ["other"], '
            '"consumer_name": "c1", "batch_size": 500, "until_idle": true}',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            extra = json.loads(options["extra"])
        except ValueError as error:
            raise CommandError(f"--extra is not JSON: {error}") from None
        if not isinstance(extra, dict):
            raise CommandError("--extra must be a JSON object, for example {}")
        try:
            consumer = import_string(settings.EVENT_BUS_CONSUMER)(
                topic=options["topic"], group_id=options["group_id"], **extra
            )
        except (TypeError, ValueError) as error:
            raise CommandError(f"--extra does not fit: {error}") from error
        consumer.consume_indefinitely()
