"""What is known of a learner's attempts at special exams."""

from django.db import models

from credentials.models import Learner
from exam_attempts.standing import Status


class ExamAttempt(models.Model):
    """One learner and one exam. The columns say how the attempt stands; `marks` holds the events
    that late ones are compared with, see exam_attempts.standing.
    """

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="exam_attempts")
    course_key = models.CharField(max_length=255)
    usage_key = models.CharField("exam", max_length=255)
    exam_type = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=[(each, each.title()) for each in Status])
    event_id = models.UUIDField(help_text="The event that says how the attempt stands.")
    event_time = models.DateTimeField()
    requested_by = models.BigIntegerField(
        null=True, blank=True, help_text="LMS user id of whoever caused that event, often staff."
    )
    marks = models.JSONField(
        "newest events", default=dict, help_text="The newest reset, review and submission."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="one_exam_attempt", fields=["learner", "course_key", "usage_key"]
            ),
        ]
        indexes = [
            # Read by exam_attempts.eligibility: everybody of a course, learner by learner.
            models.Index(name="exam_attempts_of_course", fields=["course_key", "learner"]),
        ]

    def __str__(self) -> str:
        return f"{self.learner} at {self.usage_key}"
