"""The last step: a row for each match and each transition says why."""

from datetime import datetime

from badges.decisions import Told, of_effect, of_transitions, write
from badges.progressed import Progressed
from credentials.lifecycle import Applied


def record(progressed: Progressed, applied: Applied, *, now: datetime) -> None:
    """Requires the transaction of what it tells. One statement."""
    verdicts = {
        (each.learner_id, each.template_id, each.event_id): each
        for each in of_transitions(progressed.transitions, applied, now=now)
    }
    rows: list[Told] = []
    for match, effects in progressed.effects:
        template = match.match.template
        rows += [
            of_effect(match.event, each, template_id=template.id, version=template.version)
            for each in effects
        ]
        # What came of it stands right behind it, as if the event had come alone.
        verdict = verdicts.pop((*match.pair, match.event.event.id), None)
        if verdict is not None:
            rows.append(verdict)
    write(rows)
