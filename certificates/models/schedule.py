"""Who is asked, about which context, how often, and for which badge."""

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q
from django_celery_beat.models import PeriodicTask

from credentials.models import BadgeTemplate


class CredentialType(models.Model):
    """What schedules of one kind share."""

    name = models.CharField(max_length=255, unique=True, help_text="For example: course passed.")
    retriever = models.CharField(
        max_length=64,
        validators=[MinLengthValidator(1)],
        help_text="The source that is asked who is eligible.",
    )
    generator = models.CharField(
        "PDF generator",
        max_length=64,
        blank=True,
        help_text="What draws PDF certificates of this kind; empty: the usual one.",
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="Options that all schedules of this kind share."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class EligibilitySchedule(models.Model):
    """Asks the retriever of its type about one context again and again. Made, changed and deleted
    by `certificates.schedules`, which keeps the periodic task in step. There may be several of one
    context.
    """

    type = models.ForeignKey(CredentialType, on_delete=models.PROTECT, related_name="schedules")
    template = models.ForeignKey(
        BadgeTemplate,
        on_delete=models.CASCADE,
        related_name="schedules",
        verbose_name="badge template",
        help_text="The badge that whoever is eligible comes nearer to.",
    )
    context_key = models.CharField(
        max_length=255, help_text="Key of a course, of a block of a course or of a learning path."
    )
    # Whose instructors look after it: the course of the context, or the learning path itself.
    course_key = models.CharField(max_length=255, db_index=True, editable=False)
    options = models.JSONField(
        default=dict, blank=True, help_text="Options that differ from those of the type."
    )
    # Whoever deletes the task deletes the schedule. The task says how often, and whether at all.
    periodic_task = models.OneToOneField(
        PeriodicTask, on_delete=models.CASCADE, related_name="eligibility", editable=False
    )
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="Earlier runs are skipped; empty: at once."
    )
    not_after = models.DateTimeField(
        null=True, blank=True, help_text="The first run after it switches the schedule off."
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["type__name", "context_key", "id"]
        verbose_name = "schedule"
        constraints = [
            models.CheckConstraint(
                name="schedule_ends_after_it_begins",
                condition=Q(not_before__isnull=True)
                | Q(not_after__isnull=True)
                | Q(not_after__gt=F("not_before")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} for {self.context_key}"

    @property
    def source(self) -> str:
        """What the events of this schedule name as theirs: rules tell schedules apart by it."""
        return f"laurel/schedules/{self.pk}"


class CourseInstructor(models.Model):
    """A member of the staff who looks after the schedules of one course or learning path, and of
    nothing else.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="instructed_courses"
    )
    course_key = models.CharField(
        max_length=255, help_text="Key of a course or of a learning path."
    )

    class Meta:
        ordering = ["course_key", "user_id"]
        constraints = [
            models.UniqueConstraint(name="one_instructor_row", fields=["user", "course_key"]),
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.course_key}"
