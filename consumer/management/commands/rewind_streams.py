"""`manage.py rewind_streams`: read the bus again from a moment on, after a restored backup."""

from argparse import ArgumentParser
from contextlib import closing
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consumer import rewinding
from consumer.rewinding import Rewound
from credentials.management.arguments import moment


class Command(BaseCommand):
    help = (
        "Move the consumer group back, so that everything published from a moment on is read "
        "again. What was processed is dropped as a duplicate; the group is never moved forward."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            type=moment,
            metavar="T",
            required=True,
            help="ISO 8601 with time zone; for a backup, an hour before it began",
        )
        parser.add_argument("-g", "--group-id", default="laurel")
        parser.add_argument(
            "-t",
            "--topic",
            action="append",
            metavar="TOPIC",
            help="one or more; without: BADGES_TOPIC and EVENT_BUS_TOPICS",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["since"] > timezone.now():
            raise CommandError("--since lies in the future.")
        topics = options["topic"] or [settings.BADGES_TOPIC, *settings.EVENT_BUS_TOPICS]
        url = settings.EVENT_BUS_REDIS_CONNECTION_URL
        try:
            with closing(redis.Redis.from_url(url)) as client:
                found = rewinding.rewind(
                    client,
                    list(dict.fromkeys(topics)),
                    group=options["group_id"],
                    since=options["since"],
                    dry_run=options["dry_run"],
                )
        except (redis.RedisError, OSError) as error:
            raise CommandError(f"Redis cannot be reached: {error}") from error
        for each in found:
            self.stdout.write(_in_words(each, dry_run=options["dry_run"]))


def _in_words(rewound: Rewound, *, dry_run: bool) -> str:
    if rewound.since is None:
        return f"{rewound.stream}: left as it is, {rewound.problem}"
    verb = "would be" if dry_run else "is"
    text = f"{rewound.stream}: {verb} read again from {rewound.since.isoformat()} on"
    if rewound.gone_before is None:
        return text
    return (
        f"{text}; IT NO LONGER HOLDS what was published before {rewound.gone_before.isoformat()}: "
        "have that published again"
    )
