"""What an older exams backend tells: sent by the app that listens to it."""

from service_signals import Personal, ServiceSignal

# `status` is the backend's own word: created, submitted, verified, rejected, error, ..., and
# `deleted` when the attempt was removed. `user_id` is the LMS user id.
proctoring_attempt_changed = ServiceSignal(
    "proctoring_attempt_changed",
    provides={
        "attempt_id": int,
        "user_id": int,
        "status": str,
        "full_name": Personal | None,
        "profile_name": Personal | None,
        "is_practice_exam": bool,
        "is_proctored": bool,
        "backend_supports_onboarding": bool,
    },
)
