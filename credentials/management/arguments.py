"""Types of arguments that several commands take."""

from argparse import ArgumentTypeError
from datetime import datetime


def moment(text: str) -> datetime:
    """A time with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not ISO 8601, for example 2026-03-01T10:00:00+00:00"
        ) from None
    if found.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no time zone; end it with +00:00 or Z for UTC")
    return found
