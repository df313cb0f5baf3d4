"""Issuances that wait for a name: see credentials.names for how they come to be held."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from credentials import dispatch
from credentials.database import in_chunks
from credentials.models import BadgeTemplate, Issuance


def release_for_learners(learner_ids: Collection[int], *, now: datetime) -> None:
    """They have a name now. Requires the transaction of its approval. Two statements, the second
    only when something was held.
    """
    for chunk in in_chunks(sorted(learner_ids)):
        _release({"credential__learner_id__in": chunk}, now=now)


def release_for_templates(template_ids: Collection[int], *, now: datetime) -> None:
    """Their policy may demand less than before; the worker holds again what still has to wait.
    Requires the transaction of the change. Two statements.
    """
    for chunk in in_chunks(sorted(template_ids)):
        templates = BadgeTemplate.objects.filter(pk__in=chunk).exclude(
            name_policy=BadgeTemplate.NamePolicy.VERIFIED_REQUIRED
        )
        _release({"credential__template__in": templates}, now=now)


def _release(scope: dict[str, Any], *, now: datetime) -> None:
    held = Issuance.objects.filter(state=Issuance.State.HELD, **scope).order_by("pk")
    keys = list(held.values_list("pk", flat=True))
    if keys:
        Issuance.objects.filter(pk__in=keys, state=Issuance.State.HELD).update(
            state=Issuance.State.CREATED, next_attempt_at=now
        )
        transaction.on_commit(lambda: dispatch.carry_out(keys))
