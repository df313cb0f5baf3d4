"""The state of one credential at one provider: what we want there, what is there."""

from typing import Final

from django.db import models
from django.db.models import Q

from credentials.models.credential import UserCredential
from credentials.models.template import CredlyOrganization

CREDLY: Final = "credly"  # the only provider with accounts


class Issuance(models.Model):
    class Wanted(models.TextChoices):
        ISSUED = "issued", "Issued"
        REVOKED = "revoked", "Revoked"

    class State(models.TextChoices):
        CREATED = "created", "Created: nothing sent yet"
        HELD = "held", "Held: waits for a name"
        PENDING = "pending", "Pending: issued, the learner has not accepted"
        ACCEPTED = "accepted", "Accepted by the learner"
        REJECTED = "rejected", "Rejected by the learner"
        AVAILABLE = "available", "Available"
        REVOKED = "revoked", "Revoked"
        EXPIRED = "expired", "Expired"
        GONE = "gone", "Gone: deleted at the provider"
        ERROR = "error", "Error: will be tried again"
        DEAD = "dead", "Dead: given up"
        CANCELLED = "cancelled", "Cancelled before anything was sent"

    credential = models.ForeignKey(
        UserCredential, on_delete=models.CASCADE, related_name="issuances"
    )
    provider = models.CharField(max_length=50)
    wanted = models.CharField(max_length=10, choices=Wanted.choices, default=Wanted.ISSUED)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    external_id = models.CharField(max_length=255, null=True, blank=True)
    external_url = models.URLField(max_length=1000, blank=True)
    # Has any attempt to issue begun? From then on "never issued" must be looked up, not assumed.
    started = models.BooleanField(default=False, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text="When the worker takes it up; empty: nothing to do."
    )
    leased_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then a worker is at it."
    )
    last_error = models.TextField(blank=True)
    issued_name = models.CharField(
        "issued anew in the name",
        max_length=255,
        blank=True,
        help_text="Empty: in the name of the credential.",
    )
    name_drift = models.BooleanField(
        default=False, help_text="The learner goes by another name than the one it was issued in."
    )
    provider_state_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the provider said so."
    )
    public = models.BooleanField(
        null=True,
        blank=True,
        editable=False,
        help_text="Does the learner show the badge to everybody? Empty: the provider never said.",
    )
    seen_at = models.DateTimeField(
        "last compared",
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider last listed the badge.",
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    # Not stored. For a provider that looks: ids of the learner's other badges of the template
    # there. They belong to former credentials and are not what is looked for.
    taken: frozenset[str] = frozenset()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="one_issuance", fields=["credential", "provider"]),
            models.UniqueConstraint(name="one_external_id", fields=["provider", "external_id"]),
            models.CheckConstraint(
                name="issuance_wanted_is_known", condition=Q(wanted__in=["issued", "revoked"])
            ),
        ]
        indexes = [
            # Read by credentials.worker.due: the few rows that have something to do.
            models.Index(
                name="issuance_due",
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            # Read by the metrics and the start page, which count them. (Here and below: where
            # conditions are ignored, the column itself makes the index good.)
            models.Index(name="issuance_dead", fields=["state", "id"], condition=Q(state="dead")),
            models.Index(
                name="issuance_drift", fields=["name_drift", "id"], condition=Q(name_drift=True)
            ),
            # Read by credentials.holds: what waits for a name of some learner.
            models.Index(name="issuance_held", fields=["credential"], condition=Q(state="held")),
        ]

    def __str__(self) -> str:
        return f"{self.credential} at {self.provider}"

    @property
    def account(self) -> CredlyOrganization | None:
        """On whose behalf the provider is called. None at those without accounts, also when the
        template is issued at Credly too. For what was read with the template's organization.
        """
        return self.credential.template.organization if self.provider == CREDLY else None


class CredlyBadge(Issuance):
    """The issuances at Credly, for the admin: external uuid and state."""

    class Meta:
        proxy = True
        verbose_name = "Credly badge"
