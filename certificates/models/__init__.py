"""The rows of the certificates app: who is asked when, what came out, and who looks after it."""

from certificates.models.run import ScheduleFinding, ScheduleRun
from certificates.models.schedule import CourseInstructor, CredentialType, EligibilitySchedule

__all__ = [
    "CourseInstructor",
    "CredentialType",
    "EligibilitySchedule",
    "ScheduleFinding",
    "ScheduleRun",
]
