"""Telling the other apps what became of credentials and issuances, once it is committed."""

from collections.abc import Iterable, Iterator
from typing import Any

from credentials import signals
from credentials.lifecycle import Change, Verb
from credentials.models import Issuance

State = Issuance.State
Wanted = Issuance.Wanted


def tell(changes: Iterable[Change]) -> None:
    """Of a whole batch. Requires the transaction of the changes; no statements."""
    signals.credential_awarded.tell(__name__, _changes(changes, Verb.AWARDED))
    signals.credential_revoked.tell(__name__, _changes(changes, Verb.REVOKED))


def _changes(changes: Iterable[Change], verb: Verb) -> Iterator[dict[str, Any]]:
    for each in changes:
        credential = each.credential
        if each.verb is verb:
            awarded = verb is Verb.AWARDED
            yield {
                "credential_id": credential.pk,
                "credential_uuid": credential.uuid,
                "learner_id": credential.learner_id,
                "template_id": credential.template_id,
                "event_id": credential.awarded_by_event if awarded else credential.revoked_by_event,
                "at": each.at,
            }


def tell_issuance(before: Issuance, *, after: Issuance) -> None:
    """Of one that a worker took up, with its credential, in the transaction that records it."""
    if after.state in {before.state, State.ERROR}:
        return
    failed = after.state == State.DEAD
    signal = signals.issuance_failed if failed else signals.issuance_done
    credential = before.credential
    issued = before.wanted == Wanted.ISSUED
    signal.tell(
        __name__,
        [
            {
                "issuance_id": after.pk,
                "credential_id": credential.pk,
                "provider": after.provider,
                "wanted": before.wanted,
                "state": after.state,
                "event_id": credential.awarded_by_event if issued else credential.revoked_by_event,
            }
        ],
    )
