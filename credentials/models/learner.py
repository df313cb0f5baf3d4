"""The person an event is about."""

import uuid

from django.db import models
from django.db.models import F, Q


class Learner(models.Model):
    """A person, known by LMS user id; by username only as long as no event carried an id."""

    # What providers know this person by: stable, and says nothing.
    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    lms_user_id = models.BigIntegerField("LMS user id", null=True, blank=True, unique=True)
    username = models.CharField(max_length=255, blank=True)
    # The username again, for learners without an id only: two of those are the same person when
    # their usernames are equal, and a plain unique column says so in every database.
    sole_username = models.CharField(max_length=255, null=True, blank=True, editable=False)
    email = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    profile_time = models.DateTimeField(
        "profile as of", help_text="Time of the newest event that described this person."
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        # Not on the fields themselves: PostgreSQL would keep a second index for LIKE beside each.
        indexes = [models.Index(name="learner_username", fields=["username"])]
        constraints = [
            models.UniqueConstraint(name="learner_sole_username", fields=["sole_username"]),
            models.CheckConstraint(
                name="learner_has_an_identity",
                condition=Q(lms_user_id__isnull=False, sole_username__isnull=True)
                # IS NOT NULL, because a comparison with NULL is no "no".
                | Q(
                    lms_user_id__isnull=True,
                    sole_username__isnull=False,
                    sole_username=F("username"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.username or f"LMS user {self.lms_user_id}"
