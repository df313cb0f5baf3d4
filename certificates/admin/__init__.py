"""Pages of the certificates app."""

from certificates.admin import instructors, runs, schedules, types

__all__ = ["instructors", "runs", "schedules", "types"]
