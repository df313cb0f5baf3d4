"""Public events that wait to be published, written in the transaction of what they announce."""

import uuid

from django.db import models
from django.db.models import Q

from credentials.models.credential import UserCredential


class OutboxEvent(models.Model):
    """One transition of one credential. The id of the public event is fixed here, so that every
    try publishes the same event; the payload is built when it is sent, so no personal data waits
    in this table.
    """

    class Kind(models.TextChoices):
        AWARDED = "awarded", "Badge awarded"
        REVOKED = "revoked", "Badge revoked"

    event_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    credential = models.ForeignKey(UserCredential, on_delete=models.CASCADE, related_name="outbox")
    occurred_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    set_aside_until = models.DateTimeField(
        null=True, blank=True, help_text="Its event cannot be built: tried again after this time."
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="one_event_per_transition", fields=["credential", "kind"]),
        ]
        indexes = [
            # Read by credentials.outbox.publish_due.
            models.Index(
                name="outbox_unpublished", fields=["id"], condition=Q(published_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} (credential {self.credential_id})"
