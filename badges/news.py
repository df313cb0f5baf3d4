"""Telling the other apps what became of a learner's progress, once it is committed.

What becomes of credentials is told by `credentials.outbox.announce`, whoever changed them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from badges import signals
from badges.progressed import LearnerMatch, Progressed
from badges.rules.progress import Effect, Outcome
from credentials.lifecycle import Transition


def tell(progressed: Progressed) -> None:
    """Of a whole batch. Requires its transaction; no statements."""
    effects = progressed.effects
    signals.requirement_fulfilled.tell(__name__, _requirements(effects, Outcome.FULFILLED))
    signals.requirement_regressed.tell(__name__, _requirements(effects, Outcome.RESET))
    tell_transitions(progressed.transitions)


def tell_transitions(transitions: Iterable[Transition]) -> None:
    signals.progress_completed.tell(__name__, _progress(transitions, complete=True))
    signals.progress_regressed.tell(__name__, _progress(transitions, complete=False))


def _requirements(
    effects: Iterable[tuple[LearnerMatch, tuple[Effect, ...]]], outcome: Outcome
) -> Iterator[dict[str, Any]]:
    for match, done in effects:
        for each in done:
            if each.outcome is outcome:
                keys = each.lost if outcome is Outcome.RESET else (each.rule.key,)
                for key in keys:
                    yield {
                        "learner_id": match.event.learner_id,
                        "template_id": match.match.template.id,
                        "event_id": match.event.event.id,
                        "at": match.event.event.time,
                        "requirement": key,
                    }


def _progress(transitions: Iterable[Transition], *, complete: bool) -> Iterator[dict[str, Any]]:
    for each in transitions:
        if each.complete is complete:
            yield {
                "learner_id": each.learner_id,
                "template_id": each.template_id,
                "event_id": each.event_id,
                "at": each.at,
            }
