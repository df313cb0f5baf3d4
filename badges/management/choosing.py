"""Learners and templates named on a command line."""

from uuid import UUID

from django.core.management.base import CommandError

from credentials.models import BadgeTemplate, Learner


def find_learner(username: str) -> Learner:
    """The newest of that username. Raises CommandError."""
    found = Learner.objects.filter(username=username).order_by("-profile_time", "-id").first()
    if found is None:
        raise CommandError(f"No learner has the username {username!r}.")
    return found


def find_template(uuid: UUID) -> BadgeTemplate:
    """Raises CommandError."""
    found = BadgeTemplate.objects.filter(uuid=uuid).first()
    if found is None:
        raise CommandError(f"No template has the uuid {uuid}.")
    return found
