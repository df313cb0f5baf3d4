"""The inbox: every event that was received, once, and what became of it."""

from django.db import models
from django.db.models import Q

from credentials.models import Learner


class InboxEvent(models.Model):
    """One received event. Its unique `event_id`, committed together with its effects, is what
    makes them happen exactly once; accepted rows are the archive, without personal data.
    """

    class State(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        IGNORED = "ignored", "Ignored"
        FAILED = "failed", "Failed: will be tried again"
        DEAD = "dead", "Dead: given up"

    # A message without a usable id goes under one that is derived from its origin.
    event_id = models.UUIDField(unique=True)
    origin = models.CharField(
        max_length=255, blank=True, help_text="Where it came from: topic/entry id."
    )
    event_type = models.CharField(max_length=255, blank=True)
    event_time = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=255, blank=True)
    sourcehost = models.CharField(max_length=255, blank=True)
    # Without a constraint in the database: the transaction that writes a row holds the learner's
    # lock, so it could never fail, and looking up every learner once more was a sixth of the time
    # of a batch on PostgreSQL (decision 18).
    learner = models.ForeignKey(
        Learner,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        db_constraint=False,
    )
    state = models.CharField(max_length=10, choices=State.choices)
    # The database fills in what nearly every row has: the consumer's inserts leave it out.
    reason = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why it was ignored, or the last error.",
    )
    payload = models.JSONField(
        null=True, blank=True, help_text="The archived payload; people are replaced by references."
    )
    raw = models.BinaryField(
        null=True, blank=True, help_text="A failed message as it was received, to be replayed."
    )
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    duplicates = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Further deliveries of the same event, dropped."
    )
    received_at = models.DateTimeField()
    # The claim that inserted this row, where another could have. An insert that skips existing rows
    # cannot say which rows are new on every database; reading this column back can.
    claim = models.UUIDField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Read by events.inbox.retry_due.
            models.Index(
                name="inbox_due",
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            # Read by the admin's list (failed first) and the summary of badges_state.
            models.Index(name="inbox_state", fields=["state", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.event_type or 'message'} {self.event_id}"


class EventArrival(models.Model):
    """A type of which an event arrived, by whatever way. Written by events.arrivals alone."""

    event_type = models.CharField(max_length=255, primary_key=True)
    first_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.event_type
