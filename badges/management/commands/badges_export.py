"""`manage.py badges_export`: the templates of the database as a file that badges_import reads."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from badges.portable import stored
from badges.portable.writer import write


class Command(BaseCommand):
    help = "Print badge templates and organizations as YAML, in a stable order. Holds no keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--template", metavar="UUID", help="only this template, with its organization"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(_one(options["template"]) if options["template"] else _all(), ending="")


def _all() -> str:
    return write(
        organizations=[each.definition for each in stored.organizations().values()],
        templates=[each.definition for each in stored.templates().values()],
    )


def _one(text: str) -> str:
    try:
        uuid = UUID(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a UUID") from None
    template = stored.templates([uuid]).get(uuid)
    if template is None:
        raise CommandError(f"there is no template {uuid}")
    organization = stored.organizations().get(template.definition.organization or UUID(int=0))
    return write(
        organizations=[organization.definition] if organization else [],
        templates=[template.definition],
    )
