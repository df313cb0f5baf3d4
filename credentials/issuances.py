"""What is wanted at each provider: written with the credential, carried out later by a worker."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from credentials import bulk, dispatch
from credentials.database import in_chunks
from credentials.lifecycle import Change, Verb
from credentials.models import BadgeTemplate, Issuance

State = Issuance.State
Wanted = Issuance.Wanted
# The provider holds no live badge, and nothing more is to be done.
SETTLED_WITHOUT: Final = frozenset({State.REVOKED, State.GONE, State.CANCELLED})
# The provider holds a badge.
SETTLED_WITH: Final = frozenset(
    {State.PENDING, State.ACCEPTED, State.REJECTED, State.AVAILABLE, State.EXPIRED}
)


def want(changes: Sequence[Change], *, now: datetime) -> None:
    """One issuance per new credential and provider of its template; a revoked credential turns
    its issuances to "revoked". Requires the transaction of the changes; once it commits, a
    worker is told. Four statements at most.
    """
    if not changes:
        return
    awarded = [each for each in changes if each.verb is Verb.AWARDED]
    rows = _new_rows(awarded, now=now)
    bulk.insert_objects(rows, identity=("credential_id", "provider"))
    touched = [row.pk for row in rows if row.next_attempt_at is not None]
    fresh = {each.credential.pk for each in awarded}
    older = [
        each.credential.pk
        for each in changes
        if each.verb is Verb.REVOKED and each.credential.pk not in fresh
    ]
    touched += want_revoked(older, now=now)
    if touched:
        transaction.on_commit(lambda: dispatch.carry_out(touched))


def want_revoked(credential_ids: Iterable[int], *, now: datetime) -> list[int]:
    """Returns the issuances that a worker has to take up. Two statements at most."""
    touched: list[int] = []
    for chunk in in_chunks(list(credential_ids)):
        rows = Issuance.objects.filter(credential_id__in=chunk).exclude(state__in=SETTLED_WITHOUT)
        touched += list(rows.order_by("id").values_list("pk", flat=True))
        rows.update(wanted=Wanted.REVOKED, attempts=0, next_attempt_at=now)
    return touched


def _new_rows(awarded: Sequence[Change], *, now: datetime) -> list[Issuance]:
    if not awarded:
        return []
    providers: dict[int, list[str]] = {}
    for chunk in in_chunks(sorted({each.credential.template_id for each in awarded})):
        providers.update(BadgeTemplate.objects.filter(pk__in=chunk).values_list("pk", "providers"))
    rows = []
    for each in awarded:
        live = bool(each.credential.live)  # False: revoked again within the same batch
        rows += [
            Issuance(
                credential_id=each.credential.pk,
                provider=provider,
                wanted=Wanted.ISSUED if live else Wanted.REVOKED,
                state=State.CREATED if live else State.CANCELLED,
                next_attempt_at=now if live else None,
            )
            for provider in providers[each.credential.template_id]
        ]
    return rows
