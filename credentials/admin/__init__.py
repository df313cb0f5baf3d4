"""The admin of what is awarded: organizations, learners, credentials, and how they fare outside."""

from credentials.admin import (
    issuances,
    learners,
    organizations,
    outbox,
    user_credentials,
    webhooks,
)

__all__ = [
    "issuances",
    "learners",
    "organizations",
    "outbox",
    "user_credentials",
    "webhooks",
]
