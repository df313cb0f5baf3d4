"""`manage.py publish_events`: lines of JSON become public events on the bus."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from openedx_events.event_bus import NoEventBusProducer, get_producer

from events.jsonl import LineRefusedError, PublicEvent, parse


class Command(BaseCommand):
    help = (
        "Publish events from lines of JSON through the configured producer. All lines are "
        "validated before the first is sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file, - for standard input")
        parser.add_argument("--topic", default=settings.BADGES_TOPIC, help="default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        events = _validated(options["file"])
        topic = options["topic"]
        limit = settings.EVENT_BUS_REDIS_STREAM_MAX_LEN
        if len(events) > limit:
            self.stderr.write(
                f"{len(events)} events, but a stream keeps about {limit} "
                "(EVENT_BUS_REDIS_STREAM_MAX_LEN): run a consumer meanwhile, or the first are lost"
            )
        _send(events, topic=topic)
        self.stdout.write(f"published {len(events)} events to {topic}")


def _validated(name: str) -> list[PublicEvent]:
    events: list[PublicEvent] = []
    refused: list[str] = []
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as lines:
            for each in parse(lines):
                if isinstance(each, LineRefusedError):
                    refused.append(str(each))
                else:
                    events.append(each)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}") from None
    if refused:
        count = f"{len(refused)} bad line{'s' if len(refused) > 1 else ''}"
        raise CommandError("\n".join([f"{name}: {count}; nothing was sent", *refused]))
    return events


def _send(events: list[PublicEvent], *, topic: str) -> None:
    producer = get_producer()
    if isinstance(producer, NoEventBusProducer):
        raise CommandError("no producer could be made: look at EVENT_BUS_PRODUCER and REDIS_URL")
    for sent, each in enumerate(events):
        try:
            producer.send(
                signal=each.signal,
                topic=topic,
                event_key_field=each.key_field,
                event_data=each.data,
                event_metadata=each.metadata,
            )
        except Exception as error:
            raise CommandError(
                f"published {sent} of {len(events)} events to {topic}, then: {error!r}"
            ) from error
