"""Work that at most one process does at a time."""

from datetime import datetime, timedelta

from django.db import models


class Lease(models.Model):
    """Held by compare-and-swap; a holder that died loses it when `until` has passed."""

    name = models.CharField(max_length=50, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, *, now: datetime, length: timedelta) -> bool:
        cls.objects.get_or_create(name=name, defaults={"until": now})
        return bool(cls.objects.filter(name=name, until__lte=now).update(until=now + length))

    @classmethod
    def release(cls, name: str, *, now: datetime) -> None:
        cls.objects.filter(name=name).update(until=now)
