"""Which event a line of the log is about: one search finds all, from message to provider."""

from credentials.models import UserCredential


def cause_of(credential: UserCredential, *, revoked: bool) -> str | None:
    """The event on whose behalf it was awarded or revoked; None: not by an event."""
    cause = credential.revoked_by_event if revoked else credential.awarded_by_event
    return None if cause is None else str(cause)
