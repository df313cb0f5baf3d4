"""Fixing what a comparison found: one difference at a time, each looked at once more."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from credentials import dispatch
from credentials.models import CredlyRun, Difference, Issuance
from credentials.providers.base import Counts, External, Report
from credentials.providers.credly import account, takeover
from credentials.providers.credly.comparison import FIXES, Here, Kind, judge
from credentials.providers.credly.provider import external
from credly_client.client import CredlyClient
from credly_client.errors import NotFound
from credly_client.types import IssuedBadge

_SETTLED: Final = "Nothing to do any more: it settled by itself."
_EVERY: Final = 50  # differences between two reports


def mend(
    run: CredlyRun, *, clock: Callable[[], datetime], counts: Counts, report: Report
) -> Counts:
    """Carry out FIXES for the differences of a run. Credly is asked for each badge again, and only
    what still holds is done. Raises credly_client.errors.CredlyError: what was done stays. Must
    not be called in a transaction.
    """
    done = Counter(counts)
    rows = run.differences.filter(kind__in=FIXES, outcome="").order_by("pk")
    with account.patient_client(run.organization) as client:
        for number, each in enumerate(rows.iterator(chunk_size=_EVERY), start=1):
            outcome = _mend_one(each, client, now=clock())
            Difference.objects.filter(pk=each.pk).update(outcome=outcome)
            done["settled by themselves" if outcome == _SETTLED else "fixed"] += 1
            if number % _EVERY == 0:
                report(done)
    report(done)
    return done


def _mend_one(difference: Difference, client: CredlyClient, *, now: datetime) -> str:
    badge = _badge(difference, client)
    with transaction.atomic():
        rows = Issuance.objects.select_for_update()
        issuance = rows.filter(pk=difference.issuance_id or 0).first()
        if issuance is None or judge(Here.of(issuance, now=now), badge) != difference.kind:
            return _SETTLED
        if badge is None:
            return _without_badge(issuance, now=now)
        if _belongs_to_another(issuance, badge):
            return _SETTLED
        issuance.external_id = str(badge.id)
        if difference.kind == Kind.LIVE_THERE:
            issuance.wanted = Issuance.Wanted.REVOKED
            return _let_worker(issuance, now=now, text="Revoking it at Credly was started.")
        issuance.last_error, issuance.next_attempt_at = "", None
        told = takeover.Told(
            external(badge),
            at=badge.state_updated_at or now,
            public=badge.public,
            reason=badge.revocation_reason or "",
        )
        return takeover.apply(issuance, told, now=now)


def _badge(difference: Difference, client: CredlyClient) -> IssuedBadge | None:
    if not difference.external_id:
        return None
    try:
        return client.get_badge(difference.external_id)
    except NotFound:
        return None


def _without_badge(issuance: Issuance, *, now: datetime) -> str:
    if issuance.external_id is None:
        return _let_worker(issuance, now=now, text="Issuing it was started.")
    gone = External(id=issuance.external_id, state=Issuance.State.GONE)
    return takeover.apply(issuance, takeover.Told(gone, at=now, gone=True), now=now)


def _belongs_to_another(issuance: Issuance, badge: IssuedBadge) -> bool:
    others = Issuance.objects.filter(provider=issuance.provider, external_id=str(badge.id))
    return others.exclude(pk=issuance.pk).exists()


def _let_worker(issuance: Issuance, *, now: datetime, text: str) -> str:
    """Due now, with all attempts ahead. Requires a transaction."""
    issuance.state, issuance.attempts, issuance.next_attempt_at = Issuance.State.ERROR, 0, now
    issuance.save()
    transaction.on_commit(lambda: dispatch.carry_out([issuance.pk]))
    return text
