"""Retiring a person: nothing that says who it was stays behind.

Each app erases what is its own: the setting LEARNER_ERASERS names a function per app,
`erase(learner, *, now) -> {what: how many}`; the learner itself comes last, here. What keeps the
service exact stays without the person: ids of events, so that none counts twice, and revoked
credentials under a made-up name.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Final, cast

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from credentials import issuances, lifecycle, news
from credentials.lifecycle import Change, Origin, Verb
from credentials.models import (
    DefinitionsVersion,
    Issuance,
    Learner,
    OutboxEvent,
    UserCredential,
)

Eraser = Callable[..., Mapping[str, int]]
Wanted = Issuance.Wanted
_REASON: Final = "The learner was retired."


def retire(learner_id: int, *, now: datetime) -> dict[str, int]:
    """Opens a transaction. Returns what was done, in words, and to how many rows; the providers
    are told by the worker after the commit. A person who was retired is retired again harmlessly.
    """
    with transaction.atomic():
        DefinitionsVersion.lock_for_reading()  # before all other locks: see its note
        learner = Learner.objects.select_for_update().get(pk=learner_id)
        done: dict[str, int] = {}
        for erase in _erasers():
            done |= erase(learner, now=now)
        done |= _erase_credentials(learner, now=now)
        _forget(learner)
        done["learner made anonymous"] = 1
    return done


@cache
def _erasers() -> tuple[Eraser, ...]:
    return tuple(cast("Eraser", import_string(path)) for path in settings.LEARNER_ERASERS)


def _erase_credentials(learner: Learner, *, now: datetime) -> dict[str, int]:
    rows = UserCredential.objects.filter(learner=learner)
    changes = []
    for each in rows.filter(live=True).select_for_update():
        lifecycle.revoke(each, at=now, event_id=None, reason=_REASON, origin=Origin.STAFF)
        changes.append(Change(Verb.REVOKED, each, now))
    lifecycle.save(changes)
    issuances.want(changes, now=now)
    news.tell(changes)
    # Their payload would be built from what is erased here.
    unpublished = OutboxEvent.objects.filter(credential__learner=learner, published_at=None)
    names = rows.exclude(issued_name="")
    if settings.RETIREMENT_KEEPS_ISSUED_NAMES:
        names = names.none()
    else:
        Issuance.objects.filter(credential__learner=learner).update(issued_name="")
    waiting = Issuance.objects.filter(credential__learner=learner, wanted=Wanted.REVOKED)
    return {
        "credentials revoked": len(changes),
        "issuances to be revoked at their provider": waiting.exclude(next_attempt_at=None).count(),
        "addresses of badges forgotten": Issuance.objects.filter(credential__learner=learner)
        .exclude(external_url="")
        .update(external_url=""),
        "events not published any more": unpublished.delete()[0],
        "names taken from credentials": names.update(issued_name=""),
    }


def _forget(learner: Learner) -> None:
    """The uuid stays: providers know the badges by it, and it says nothing."""
    learner.lms_user_id = None
    learner.username = learner.sole_username = f"retired-{learner.uuid}"
    learner.email = learner.name = ""
    learner.is_active = False
    learner.save()
