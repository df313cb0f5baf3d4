"""Badges that were issued in another name than the learner goes by today."""

from collections.abc import Sequence
from datetime import datetime

from credentials.database import in_chunks
from credentials.issuances import SETTLED_WITH
from credentials.models import Issuance, Learner
from verified_names.resolver import choose, known_of


def after_renaming(learner_ids: Sequence[int], *, now: datetime) -> None:
    """AFTER_RENAMING: the profile has another name. Requires a transaction. Six statements at
    most, whatever the learners.
    """
    learners: list[Learner] = []
    for chunk in in_chunks(learner_ids):
        learners += Learner.objects.filter(pk__in=chunk)
    mark(learners, now=now)


def mark(learners: Sequence[Learner], *, now: datetime) -> None:
    """Mark what drifted, and take the mark from what fits again.

    Only marked: a Credly badge is never revoked and awarded anew for a name. Requires a
    transaction. Five statements at most.
    """
    if not learners:
        return
    known = known_of(learners)
    drifted: dict[bool, list[int]] = {True: [], False: []}
    for chunk in in_chunks(list(known)):
        rows = Issuance.objects.filter(
            credential__learner_id__in=chunk, credential__live=True, state__in=SETTLED_WITH
        ).exclude(credential__issued_name_source="")
        for row in rows.select_related("credential__template"):
            credential = row.credential
            policy = credential.template.name_policy
            today = choose(known[credential.learner_id], policy=policy, now=now)
            issued = row.issued_name or credential.issued_name
            is_other = today is not None and bool(today.name) and today.name != issued
            if is_other != row.name_drift:
                drifted[is_other].append(row.pk)
    for is_other, keys in drifted.items():
        for each in in_chunks(keys):
            Issuance.objects.filter(pk__in=each).update(name_drift=is_other)
