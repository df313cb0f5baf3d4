"""`rotate_encryption`: after a new key was put in front of LAUREL_ENCRYPTION_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from credentials.models import CredlyOrganization
from credentials.secrets import UndecryptableError, encrypt_anew


class Command(BaseCommand):
    help = "Encrypt the stored keys anew, with the first key of LAUREL_ENCRYPTION_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        done, failed = 0, []
        for row in CredlyOrganization.objects.exclude(api_key_encrypted="").order_by("pk"):
            try:
                anew = encrypt_anew(row.api_key_encrypted)
            except UndecryptableError as error:
                failed.append(f"{row}: {error}")
                continue
            # A key that was entered in this moment is encrypted with the first key already.
            same = CredlyOrganization.objects.filter(
                pk=row.pk, api_key_encrypted=row.api_key_encrypted
            )
            done += same.update(api_key_encrypted=anew)
        self.stdout.write(f"{done} keys encrypted anew.")
        if failed:
            raise CommandError("\n".join(failed))
        self.stdout.write("The former keys can be taken out of LAUREL_ENCRYPTION_KEY now.")
