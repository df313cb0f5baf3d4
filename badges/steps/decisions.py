"""The last step: a row for each match and each transition says why."""

from datetime import datetime

from badges.decisions import of_effect, of_transitions
from badges.models import Decision
from badges.progressed import Progressed
from credentials.lifecycle import Applied


def record(progressed: Progressed, applied: Applied, *, now: datetime) -> None:
    """Requires the transaction of what it tells. One statement."""
    rows = [
        of_effect(
            match.event,
            effect,
            template_id=match.match.template.id,
            version=match.match.template.version,
        )
        for match, effects in progressed.effects
        for effect in effects
    ]
    rows += of_transitions(progressed.transitions, applied, now=now)
    if rows:
        Decision.objects.bulk_create(rows)
