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


def tell_issuances(recorded: Iterable[tuple[Issuance, Issuance]]) -> None:
    """Of what a worker took up, before and after, in the transaction that records it; the former
    with its credential. No statements.
    """
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for before, after in recorded:
        if after.state not in {before.state, State.ERROR}:
            (failed if after.state == State.DEAD else done).append(_issuance(before, after))
    signals.issuance_done.tell(__name__, done)
    signals.issuance_failed.tell(__name__, failed)


def _issuance(before: Issuance, after: Issuance) -> dict[str, Any]:
    credential = before.credential
    issued = before.wanted == Wanted.ISSUED
    return {
        "issuance_id": after.pk,
        "credential_id": credential.pk,
        "provider": after.provider,
        "wanted": before.wanted,
        "state": after.state,
        "event_id": credential.awarded_by_event if issued else credential.revoked_by_event,
    }
