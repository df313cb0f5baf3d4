"""Values that break naive code."""

from datetime import datetime, tzinfo


class Offsetless(tzinfo):
    """A time zone that knows no offset: the time is as naive as without it."""

    def utcoffset(self, _when: datetime | None) -> None:
        return None

    dst = utcoffset

    def tzname(self, _when: datetime | None) -> None:
        return None


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text at all")
