"""Whether a run is wanted now."""

from datetime import datetime

import attrs

from certificates.models import EligibilitySchedule


@attrs.frozen
class Verdict:
    """`reason`: why no run is wanted; empty when one is. `is_over`: none ever will be."""

    reason: str = ""
    is_over: bool = False


def judge(schedule: EligibilitySchedule, *, now: datetime) -> Verdict:
    """Asks the platform when the course ends: one call. Raises RetrievalError."""
    if schedule.not_before is not None and now < schedule.not_before:
        return Verdict(f"It begins on {_moment(schedule.not_before)}.")
    if schedule.not_after is not None and now > schedule.not_after:
        return Verdict(f"It ended on {_moment(schedule.not_after)}: switched off.", is_over=True)
    return Verdict()


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M %Z")
