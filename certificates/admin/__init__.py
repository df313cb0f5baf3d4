"""Pages of the certificates app."""

from certificates.admin import assets, documents, instructors, layouts, runs, schedules, types

__all__ = ["assets", "documents", "instructors", "layouts", "runs", "schedules", "types"]
