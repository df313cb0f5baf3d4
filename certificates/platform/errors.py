"""What can go wrong between us and the platform, and whether the same call may succeed later.

`str(error)` is fit for a log and for an admin page: it names method, path and status, never the
query (which may name learners) nor what the platform answered.
"""

# ruff: noqa: N818  (each name says what happened; "Error" stands in the root's name)


class PlatformError(Exception):
    """Root of the tree. `retry_after`: seconds that the platform asked to wait."""

    permanent = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(PlatformError):
    """No answer, or not in time."""

    permanent = False


class ServerError(PlatformError):
    """5xx."""

    permanent = False


class RateLimited(PlatformError):
    """429."""

    permanent = False


class Unauthorized(PlatformError):
    """401: the client id and secret are wrong, or the token is over."""


class Forbidden(PlatformError):
    """403: the user of the OAuth client may not do this, or the feature is off."""


class NotFound(PlatformError):
    """404: an unknown course or learner, or the API is not installed."""


class Refused(PlatformError):
    """Any other 4xx, and redirects: these are never followed, the token stays with its host."""


class MalformedAnswer(PlatformError):
    """The answer is not what the API is known to give, or larger than any should be."""


class NotConfigured(PlatformError):
    """The settings name no platform."""
