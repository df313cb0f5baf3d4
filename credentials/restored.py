"""After a restored backup: what looks as if it was never sent may have been."""

from datetime import datetime

from django.db import transaction

from credentials.models import Issuance

State = Issuance.State


def look_first(*, since: datetime, now: datetime) -> int:
    """Have the worker look at the provider before it carries out what was recorded from `since`
    on: it finds the badges that were issued before the database was restored, also of those
    credentials that were revoked again before anything was sent. Returns how many issuances that
    concerns. Opens a transaction.
    """
    with transaction.atomic():
        unsent = Issuance.objects.filter(
            credential__created__gte=since, external_id__isnull=True, started=False
        )
        # Whoever awarded and revoked in one go has asked nobody.
        unsent.filter(state=State.CANCELLED).update(
            state=State.CREATED, attempts=0, next_attempt_at=now
        )
        return unsent.update(started=True)
