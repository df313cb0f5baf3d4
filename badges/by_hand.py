"""Awarding and revoking by staff, with a reason, through the same credentials and issuances.

A manual revocation is not undone by the engine: whether the badge can be earned again is the
template's `reissue`. A manual award is not revoked by a penalty, because it is not made by
progress: only a transition from complete to incomplete revokes. Unless staff said at the award
that penalties may take it: then the next one that resets anything does.
"""

from datetime import datetime

from badges import decisions
from badges.models import BadgeProgress, RulesVersion
from credentials import issuances, lifecycle, outbox
from credentials.lifecycle import Applied, Origin, Transition
from credentials.models import BadgeTemplate, DefinitionsVersion, Learner, UserCredential


class NothingToDoError(ValueError):
    """The learner holds the badge already, or holds none that could be revoked."""


def award(
    learner: Learner,
    template: BadgeTemplate,
    *,
    reason: str,
    by: str,
    now: datetime,
    penalties_apply: bool = False,
) -> UserCredential:
    """Award whatever the progress says, also after a revocation. Requires a transaction.

    Raises NothingToDoError.
    """
    _take_turns(learner)
    if penalties_apply:
        BadgeProgress.objects.update_or_create(
            learner=learner, template=template, defaults={"penalties_take_award": True}
        )
    applied = _apply(learner, template, complete=True, reason=reason, by=by, now=now)
    if not applied.changes:
        raise NothingToDoError(f"{learner} holds {template} already.")
    return applied.changes[0].credential


def revoke(
    learner: Learner, template: BadgeTemplate, *, reason: str, by: str, now: datetime
) -> UserCredential:
    """Requires a transaction. Raises NothingToDoError."""
    _take_turns(learner)
    applied = _apply(learner, template, complete=False, reason=reason, by=by, now=now)
    if not applied.changes:
        raise NothingToDoError(f"{learner} does not hold {template}.")
    return applied.changes[0].credential


def _take_turns(learner: Learner) -> None:
    """With events and edits. In the order in which they lock; then progress, then credential."""
    DefinitionsVersion.lock_for_reading()
    Learner.objects.select_for_update().get(pk=learner.pk)


def _apply(
    learner: Learner,
    template: BadgeTemplate,
    *,
    complete: bool,
    reason: str,
    by: str,
    now: datetime,
) -> Applied:
    """Who it was stands in the decision only: the reason of a revocation is told to others."""
    newest = RulesVersion.objects.filter(template=template).values_list("number", flat=True)
    transition = Transition(
        learner_id=learner.pk,
        template_id=template.pk,
        complete=complete,
        reissue_allowed=True,  # staff may
        at=now,
        event_id=None,
        rules_version=newest.first(),
        reason=reason,
        origin=Origin.STAFF,
    )
    applied = lifecycle.apply([transition])
    issuances.want(applied.changes, now=now)
    outbox.announce(applied.changes)
    said = f"{reason} ({by})"
    decisions.write(decisions.of_transitions([transition], applied, now=now, reason=said))
    return applied
