"""Step 5: what each learner holds, advanced event by event."""

from collections.abc import Iterable, Sequence

from badges import accounts
from badges.accounts import Account
from badges.progressed import LearnerMatch, Progressed
from badges.rules.book import Penalty
from badges.rules.progress import Effect, Matched, advance
from credentials.lifecycle import Transition


def apply(matches: Sequence[LearnerMatch]) -> Progressed:
    """Apply the matches in their order.

    Requires a transaction; locks the progress rows in one fixed order. Six statements at most.
    """
    if not matches:
        return Progressed()
    templates = {each.match.template.id: each.match.template for each in matches}
    opened = accounts.open_accounts({each.pair for each in matches}, templates)
    effects = []
    transitions = []
    for each in matches:
        done, transition = _advance(opened[each.pair], each)
        effects.append((each, done))
        if transition is not None:
            transitions.append(transition)
    accounts.write(opened.values())
    return Progressed(tuple(effects), tuple(transitions))


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
    if was_complete == step.held.complete:
        return step.effects, None
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


def _reason(penalties: Iterable[Penalty]) -> str:
    return ", ".join(each.key for each in penalties)
