"""The internal record that a learner holds, or lost, a badge."""

import uuid

from django.db import models
from django.db.models import Q

from credentials.models.learner import Learner
from credentials.models.template import BadgeTemplate


class UserCredential(models.Model):
    class Status(models.TextChoices):
        AWARDED = "awarded", "Awarded"
        REVOKED = "revoked", "Revoked"

    class Origin(models.TextChoices):
        PENALTY = "penalty", "Penalty"
        PROVIDER = "provider", "Provider"
        STAFF = "staff", "Staff"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="credentials")
    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.PROTECT, related_name="credentials"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.AWARDED)
    # True while awarded, NULL once revoked: NULLs are distinct in a unique constraint, so every
    # supported database holds "one live credential per learner and template" with a plain one.
    live = models.BooleanField(null=True, default=True, editable=False)
    awarded_at = models.DateTimeField(
        help_text="Time of the event that completed the badge, not of its processing."
    )
    awarded_by_event = models.UUIDField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by_event = models.UUIDField(null=True, blank=True, editable=False)
    revocation_origin = models.CharField(max_length=10, choices=Origin.choices, blank=True)
    revocation_reason = models.TextField(blank=True)
    rules_version = models.PositiveIntegerField(
        null=True, blank=True, help_text="Version of the template's rules it was awarded under."
    )
    issued_name = models.CharField(
        max_length=255, blank=True, help_text="Fixed when it was first issued."
    )
    issued_name_source = models.CharField(
        max_length=20,
        blank=True,
        help_text="Where that name came from: verified, profile or username.",
    )
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="one_live_credential", fields=["learner", "template", "live"]
            ),
            models.CheckConstraint(
                name="credential_status_fits",
                condition=Q(status="awarded", live=True, revoked_at__isnull=True)
                | Q(status="revoked", live__isnull=True, revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} for {self.learner}"
