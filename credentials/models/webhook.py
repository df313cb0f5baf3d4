"""What Credly called us with, stored before anything is done about it."""

from django.db import models
from django.db.models import Q


class CredlyWebhook(models.Model):
    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        DONE = "done", "Done"
        IGNORED = "ignored", "Ignored"
        FAILED = "failed", "Failed: will be tried again"
        DEAD = "dead", "Dead: given up"

    event_id = models.UUIDField(unique=True, help_text="Credly's id of the event.")
    organization_id = models.UUIDField(help_text="Credly's id of the organization.")
    event_type = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    outcome = models.TextField(blank=True, help_text="What was done, or why nothing was.")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "Credly webhook"
        indexes = [
            # Read by the worker's sweep.
            models.Index(
                name="webhook_due",
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            # Read by the start page of the admin.
            models.Index(name="webhook_dead", fields=["state"], condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
