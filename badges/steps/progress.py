"""Step 5: what each learner holds, advanced event by event."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from badges import accounts
from badges.accounts import Account, Pair
from badges.progressed import LearnerMatch, Progressed
from badges.rules.book import Penalty
from badges.rules.progress import (
    Effect,
    Matched,
    Outcome,
    Step,
    advance,
    standing,
    without,
)
from credentials.lifecycle import Transition


def apply(matches: Sequence[LearnerMatch]) -> Progressed:
    """Apply the matches in their order.

    Requires a transaction; locks the progress rows in one fixed order. Six statements at most.
    """
    if not matches:
        return Progressed()
    templates = {each.match.template.id: each.match.template for each in matches}
    pairs = {each.pair for each in matches}
    opened = accounts.open_accounts(pairs, templates, now=matches[0].event.received_at)
    progressed = advance_all(opened, matches)
    accounts.write(opened.values())
    return progressed


def advance_all(opened: Mapping[Pair, Account], matches: Sequence[LearnerMatch]) -> Progressed:
    """Apply the matches in their order to accounts in memory."""
    effects = []
    transitions = []
    for each in matches:
        done, transition = _advance(opened[each.pair], each)
        effects.append((each, done))
        if transition is not None:
            transitions.append(transition)
    return Progressed(tuple(effects), tuple(transitions))


def replay(opened: Mapping[Pair, Account], matches: Sequence[LearnerMatch]) -> Progressed:
    """Apply matches of the past, each learner's in the order of time, to accounts in memory.

    Who is not complete gives back the evidence of these events first, so that the badge is
    complete at the event that completed it then, whatever was known before. What is held in the
    end is the same: a function of the set of events.
    """
    again: dict[Pair, set[tuple[str, UUID]]] = defaultdict(set)
    for each in matches:
        again[each.pair] |= {(met.requirement.key, each.event.event.id) for met in each.match.met}
    for pair, taken_back in again.items():
        account = opened[pair]
        if not account.held.complete:
            account.held = without(account.held, taken_back)
            account.standing = standing(account.template, held=account.held)
    return advance_all(opened, matches)


def _advance(account: Account, each: LearnerMatch) -> tuple[tuple[Effect, ...], Transition | None]:
    event = each.event.event
    step = advance(
        account.template,
        held=account.held,
        matched=Matched(event.id, event.time, each.match.met, each.match.penalties),
        before=account.standing,
    )
    was_complete, account.held = account.held.complete, step.held
    account.standing = step.standing
    if was_complete == step.held.complete and not _takes_award_by_hand(account, step):
        return step.effects, None
    account.row.penalties_take_award = False
    account.row.completed_at = event.time if step.held.complete else None
    return step.effects, Transition(
        learner_id=each.event.learner_id,
        template_id=account.template.id,
        complete=step.held.complete,
        reissue_allowed=account.template.reissue_allowed,
        at=event.time,
        event_id=event.id,
        rules_version=account.template.version,
        reason=_reason(each.match.penalties),
    )


def _takes_award_by_hand(account: Account, step: Step) -> bool:
    """A reset always changes what is held, so the row is written."""
    was_reset = any(each.outcome is Outcome.RESET for each in step.effects)
    return account.row.penalties_take_award and was_reset and not step.held.complete


def _reason(penalties: Iterable[Penalty]) -> str:
    return ", ".join(each.description or each.key for each in penalties)
