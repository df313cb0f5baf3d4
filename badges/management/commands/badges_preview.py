"""`manage.py badges_preview`: what a template would do, before it is saved."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from badges import archive, preview
from badges.management.answers import archive_data, archive_lines, event_data, event_lines
from badges.management.drafts import Draft, file_draft, stored_draft
from events.event import Event
from events.jsonl import LineRefusedError, PublicEvent, parse
from events.registry import subscriptions
from events.wire import make_event


class Command(BaseCommand):
    help = (
        "Try a template against one sample event, or against the archived events. Changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", metavar="FILE", help="an import file, - for standard input")
        parser.add_argument(
            "--template", type=UUID, metavar="UUID", help="which template, of the file if there is"
        )
        parser.add_argument(
            "--event",
            metavar="FILE",
            help="a file with one event as publish_events takes it, - for standard input",
        )
        parser.add_argument("--json", action="store_true", help="as data")

    def handle(self, *args: Any, **options: Any) -> None:
        draft = _draft(options["file"], options["template"])
        lines = [f"{draft.name}:"]
        if options["event"]:
            on_event = preview.against_event(draft.rules, _event(options["event"]))
            data = event_data(on_event)
            lines += event_lines(on_event)
        else:
            former = {draft.rules.id: draft.former} if draft.former else {}
            past = archive.past([draft.rules])
            on_archive = preview.against_archive(past, former=former, now=timezone.now())
            data = archive_data(on_archive)
            lines += archive_lines(on_archive)
        self.stdout.write(json.dumps(data, indent=1) if options["json"] else "\n".join(lines))


def _draft(file: str | None, template: UUID | None) -> Draft:
    if file is not None:
        return file_draft(file, template)
    if template is None:
        raise CommandError("Say what to try: --file FILE or --template UUID.")
    return stored_draft(template)


def _event(name: str) -> Event:
    """Raises CommandError."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}") from None
    found = list(parse(raw.splitlines()))
    if len(found) != 1:
        raise CommandError(f"{name} has {len(found)} events; exactly one is needed")
    if isinstance(found[0], LineRefusedError):
        raise CommandError(f"{name}: {found[0]}")
    return _as_received(found[0])


def _as_received(public: PublicEvent) -> Event:
    subscription = subscriptions().get(public.signal.event_type)
    if subscription is None:
        raise CommandError(f"{public.signal.event_type} is not in BADGES_CONFIG['events']")
    metadata = public.metadata
    return make_event(
        subscription,
        payload=public.data[subscription.argument],
        event_id=metadata.id,
        time=metadata.time,
        source=metadata.source,
        sourcehost=metadata.sourcehost,
        origin="sample",
    )
