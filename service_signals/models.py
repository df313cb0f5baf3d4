"""The rows of the service signals: handlers that failed."""

from django.db import models
from django.db.models import Q


class HandlerFailure(models.Model):
    """One handler that failed on one piece of news, kept so that it can be replayed. No personal
    data: see service_signals.arguments.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        REPLAYED = "replayed", "Replayed"
        DISMISSED = "dismissed", "Dismissed"

    signal = models.CharField(max_length=255, help_text="Where it is declared.")
    handler = models.CharField(max_length=255)
    sender = models.CharField(max_length=255, blank=True)
    arguments = models.JSONField(
        null=True,
        blank=True,
        help_text="Empty: they were personal and were not kept, so this cannot be replayed.",
    )
    correlation_id = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    attempts = models.PositiveIntegerField(default=1)
    error = models.TextField(help_text="The traceback of the last attempt, without names.")
    failed_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="handler_failure_resolution_fits",
                condition=Q(state="open", resolved_at__isnull=True)
                | Q(state__in=["replayed", "dismissed"], resolved_at__isnull=False),
            ),
        ]
        indexes = [
            # Read by replay_handler_failures and the admin's list (open first).
            models.Index(name="handler_failure_state", fields=["state", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.handler} on {self.signal}"
