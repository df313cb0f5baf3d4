"""Whether a run is wanted now."""

from datetime import datetime

import attrs
from django.conf import settings

from certificates import contexts
from certificates.models import EligibilitySchedule
from certificates.retrievers.common import asking


@attrs.frozen
class Verdict:
    """`reason`: why no run is wanted; empty when one is. `is_over`: none ever will be."""

    reason: str = ""
    is_over: bool = False


def judge(schedule: EligibilitySchedule, *, now: datetime) -> Verdict:
    """Asks the platform when the course ends: must not be called in a transaction. Raises
    RetrievalError.
    """
    if schedule.not_before is not None and now < schedule.not_before:
        return Verdict(f"It begins on {_moment(schedule.not_before)}.")
    if schedule.not_after is not None and now > schedule.not_after:
        return Verdict(f"It ended on {_moment(schedule.not_after)}: switched off.", is_over=True)
    end = _course_end(schedule)
    if end is not None and now > end:
        return Verdict(f"The course ended on {_moment(end)}: switched off.", is_over=True)
    return Verdict()


def _course_end(schedule: EligibilitySchedule) -> datetime | None:
    """None too for a learning path, and where there is no platform to ask."""
    if not settings.PLATFORM_API_BASE_URL:
        return None
    if contexts.parse(schedule.context_key).kind == "pathway":
        return None
    with asking() as platform:
        return platform.course(schedule.course_key).end


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M %Z")
