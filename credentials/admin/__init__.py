"""The admin of what is awarded: organizations, learners, credentials, and how they fare outside."""

from credentials.admin import (
    differences,
    issuances,
    learners,
    organizations,
    outbox,
    runs,
    user_credentials,
    webhooks,
)

__all__ = [
    "differences",
    "issuances",
    "learners",
    "organizations",
    "outbox",
    "runs",
    "user_credentials",
    "webhooks",
]
