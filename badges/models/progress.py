"""What one learner has fulfilled of one template."""

from django.db import models
from django.db.models import Q

from badges.models.requirement import BadgeRequirement
from credentials.models import BadgeTemplate, Learner


class BadgeProgress(models.Model):
    """Progress is a function of the matched events and their times; this row keeps the part of
    it that is not evidence: when each requirement was last reset, and whether all was met.
    """

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="progress")
    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE, related_name="progress")
    complete = models.BooleanField(default=False)
    completed_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of the event that met the last missing group."
    )
    # {requirement id: ISO 8601 time of its last reset}. Only what was ever reset is in it.
    resets = models.JSONField(default=dict, blank=True)
    # {requirement id: evidence}: fulfilled under former rules and kept although the present ones
    # would say otherwise, until it is reset.
    pins = models.JSONField(default=dict, blank=True)
    # Staff awarded the badge and said that penalties may take it, although progress is not
    # complete: the next penalty that resets anything of this template does.
    penalties_take_award = models.BooleanField(default=False, editable=False)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "badge progress"
        constraints = [
            models.UniqueConstraint(name="one_progress", fields=["learner", "template"]),
            models.CheckConstraint(
                name="progress_complete_fits",
                condition=Q(complete=True, completed_at__isnull=False)
                | Q(complete=False, completed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.learner}: {self.template}"


class Fulfillment(models.Model):
    """Evidence: one event that counts towards one requirement of one learner. Kept only as far
    as it can still change an answer.
    """

    progress = models.ForeignKey(
        BadgeProgress, on_delete=models.CASCADE, related_name="fulfillments"
    )
    # Empty once the requirement is removed: what an edit takes from a learner has to be known
    # when progress is carried over, and only then does the row go.
    requirement = models.ForeignKey(
        BadgeRequirement, on_delete=models.SET_NULL, null=True, related_name="fulfillments"
    )
    key = models.CharField("requirement id", max_length=100)
    event_id = models.UUIDField()
    event_time = models.DateTimeField()
    value = models.CharField(
        max_length=255, blank=True, help_text="What has to differ from event to event."
    )
    version = models.PositiveIntegerField(
        default=0, help_text="Version of the template's rules under which the event matched."
    )

    class Meta:
        ordering = ["event_time", "id"]
        constraints = [
            # A progress is one learner's, so this is "once per requirement, learner and event".
            models.UniqueConstraint(
                name="one_evidence", fields=["progress", "requirement", "event_id"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} by {self.event_id}"
