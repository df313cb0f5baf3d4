"""Work that at most one process does at a time."""

from datetime import datetime, timedelta

from django.db import models


class Lease(models.Model):
    """Held by compare-and-swap; a holder that died loses it when `until` has passed. `until` is
    different for each holder, so it also says whose it is.
    """

    name = models.CharField(max_length=50, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, *, now: datetime, length: timedelta) -> "Lease | None":
        """None when somebody else holds it."""
        cls.objects.get_or_create(name=name, defaults={"until": now})
        until = now + length
        taken = cls.objects.filter(name=name, until__lte=now).update(until=until)
        return cls(name=name, until=until) if taken else None

    def extend(self, *, until: datetime) -> bool:
        """False when it was lost meanwhile: whoever took it goes on."""
        if not Lease.objects.filter(name=self.name, until=self.until).update(until=until):
            return False
        self.until = until
        return True

    def release(self, *, now: datetime) -> None:
        """No effect when it was lost."""
        Lease.objects.filter(name=self.name, until=self.until).update(until=now)
