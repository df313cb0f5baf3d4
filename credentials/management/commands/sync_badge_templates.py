"""`sync_badge_templates`: take over the badge templates of Credly organizations."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from credentials.models import CredlyOrganization
from credentials.providers.credly import templates
from credentials.providers.credly.account import KeyMissingError
from credentials.secrets import UndecryptableError
from credly_client.errors import CredlyError


class Command(BaseCommand):
    help = "Create and update badge templates from Credly; new ones come inactive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", type=UUID, help="only this one (its id at Credly)")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = CredlyOrganization.objects.order_by("id")
        if options["organization"]:
            organizations = organizations.filter(uuid=options["organization"])
            if not organizations:
                raise CommandError(f"No organization {options['organization']} is configured.")
        failed = []
        for organization in organizations:
            try:
                result = templates.sync(organization, clock=timezone.now)
            except (CredlyError, KeyMissingError, UndecryptableError) as error:
                failed.append(f"{organization}: {error}")
                continue
            self.stdout.write(
                f"{organization}: {result.created} created, {result.changed} changed, "
                f"{result.unchanged} unchanged, {result.archived} archived"
            )
        if failed:
            raise CommandError("\n".join(failed))
