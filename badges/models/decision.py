"""Why a learner has, lost or does not yet have a badge: one row per match, one per transition."""

from django.db import models

from credentials.models import BadgeTemplate, Learner


class Decision(models.Model):
    class Outcome(models.TextChoices):
        FULFILLED = "fulfilled", "Fulfilled"
        ALREADY = "already", "Already fulfilled"
        COUNTED = "counted", "Counted"
        STALE = "stale", "Older than the last reset"
        RESET = "reset", "Reset"
        AWARDED = "awarded", "Awarded"
        REVOKED = "revoked", "Revoked"
        BLOCKED = "blocked", "Not awarded again: revoked before"

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="decisions")
    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE, related_name="decisions")
    version = models.PositiveIntegerField(default=0)
    # One of the two for a match, none for a transition. Names, not rows: a decision outlives what
    # it was made about.
    requirement = models.CharField(max_length=100, blank=True)
    penalty = models.CharField(max_length=100, blank=True)
    event_id = models.UUIDField(null=True, blank=True)
    event_type = models.CharField(max_length=255, blank=True)
    event_time = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    counted = models.PositiveIntegerField(default=0)
    demanded = models.PositiveIntegerField(default=0)
    # [[key path, operator, expected, seen]]; nothing personal is written down.
    seen = models.JSONField(default=list, blank=True)
    reason = models.TextField(blank=True, help_text="What staff gave as a reason.")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Read by badges.explain, newest first.
            models.Index(name="decision_of_learner", fields=["learner", "template", "-id"]),
        ]

    def __str__(self) -> str:
        count = f" {self.counted}/{self.demanded}" if self.outcome == "counted" else ""
        return f"{self.requirement or self.penalty or self.template}: {self.outcome}{count}"
