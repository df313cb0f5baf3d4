"""What the groups of staff were given."""

from django.contrib.auth.models import Group
from django.db import models


class HandedOut(models.Model):
    """What one of the groups of `staff.groups` was given so far. Nothing is given twice: what an
    operator takes from a group stays away, and a deleted group does not come back.
    """

    name = models.CharField(max_length=150, unique=True)
    group = models.ForeignKey(
        Group,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="By whatever name it goes now. Empty: it was deleted, or was there before us.",
    )
    permissions = models.JSONField(default=list, help_text="`app.codename` of each.")

    class Meta:
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
