"""Certificates drawn anew: in the name that the learner goes by now, or because staff wants so."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from certificates.models import Certificate
from credentials import dispatch
from credentials.models import Issuance, Learner
from credentials.names import resolver


def reissue(certificates: Iterable[Certificate], *, now: datetime) -> tuple[int, int]:
    """How many will be drawn anew, and how many cannot: withdrawn, or no name is allowed now. The
    address and the file's name stay; what is there stays until the new one is written. Other
    providers keep the name they were told. Opens a transaction for each.
    """
    done = refused = 0
    for each in certificates:
        if _reissue(each, now=now):
            done += 1
        else:
            refused += 1
    return done, refused


def _reissue(certificate: Certificate, *, now: datetime) -> bool:
    with transaction.atomic():
        issuance = Issuance.objects.select_related("credential__template").get(
            pk=certificate.issuance_id
        )
        credential = issuance.credential
        learner = Learner.objects.select_for_update().get(pk=credential.learner_id)
        (found,) = resolver()([(learner, credential.template.name_policy)], now=now)
        if found is None or not credential.live:
            return False
        rows = Certificate.objects.filter(pk=certificate.pk, state=Certificate.State.AVAILABLE)
        if not rows.update(drawn_at=None):
            return False
        Issuance.objects.filter(pk=issuance.pk, wanted=Issuance.Wanted.ISSUED).update(
            issued_name=found.name,
            name_drift=False,
            state=Issuance.State.CREATED,
            attempts=0,
            next_attempt_at=now,
            last_error="",
        )
        transaction.on_commit(lambda: dispatch.carry_out([issuance.pk]))
    return True
