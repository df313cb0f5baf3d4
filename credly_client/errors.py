"""What can go wrong between us and Credly, and what the caller may do about it.

Every error carries the answer to four questions:

`permanent`        the same call can never succeed: do not send it again
`outcome_unknown`  the change may have happened: look it up before sending it again
`account_wide`     no call of this organization will succeed: pause the account, show it to a person
`retry_after`      seconds to wait before the next try; None leaves it to the caller's own policy

`str(error)` is fit for a log and for an admin page: no token, no e-mail address.
"""

# ruff: noqa: N818  (each name says what happened; "Error" stands in the root's name)

from __future__ import annotations

import re
from uuid import UUID

import attrs

_ADDRESS = re.compile(r"[^\s<>\"',;:()]+@[^\s<>\"',;:()]+")


def without_addresses(text: str) -> str:
    """Credly quotes what it was sent; an e-mail address must not reach a log that way."""
    return _ADDRESS.sub("[e-mail]", text)


@attrs.frozen(kw_only=True)
class FieldError:
    """One entry of Credly's `data.errors`."""

    attribute: str
    messages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.attribute}: {', '.join(self.messages)}"


class CredlyError(Exception):
    """Root of the tree."""

    permanent = False
    outcome_unknown = False
    account_wide = False

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(without_addresses(message))
        self.status = status
        self.retry_after = retry_after


class Unreachable(CredlyError):
    """No answer, and nothing can have changed: try again.

    The connection could not be made, or was lost during a call that only reads.
    """


class OutcomeUnknown(CredlyError):
    """A changing call was sent and its answer was lost, unreadable or a 5xx: look it up first."""

    outcome_unknown = True


class ServerError(CredlyError):
    """Credly answered 5xx to a call that only reads: try again."""


class RateLimited(CredlyError):
    """429. Nothing was done; `retry_after` is always set."""


class MalformedAnswer(CredlyError):
    """The answer to a reading call is not what Credly declares: try again, then tell a person.

    Changing calls turn it into `OutcomeUnknown`.
    """


class Unauthorized(CredlyError):
    """401: the token is wrong, expired or rotated. The call itself is sound: keep it for later."""

    account_wide = True


class Forbidden(CredlyError):
    """403: the token may not do this. The call itself is sound: keep it for later."""

    account_wide = True


class Redirected(CredlyError):
    """3xx: the base URL is not Credly's API. Never followed, the token stays with its host."""

    account_wide = True

    def __init__(self, message: str, *, status: int, changes: bool) -> None:
        super().__init__(message, status=status)
        # A redirect may be the answer to a form that was accepted.
        self.outcome_unknown = changes


class Refused(CredlyError):
    """Any other 4xx: this call will never be accepted as it is."""

    permanent = True


class NotFound(Refused):
    """404 or 410. Event look-ups may answer 404 for a moment after the webhook (a race)."""


class ValidationFailed(Refused):
    """422. `errors` says which fields; `current_badge_id` is set when a badge was replaced;
    `error_index` is the place of the badge to blame in a batch.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        errors: tuple[FieldError, ...] = (),
        current_badge_id: UUID | None = None,
        error_index: int | None = None,
    ) -> None:
        super().__init__(message, status=status)
        self.errors = errors
        self.current_badge_id = current_badge_id
        self.error_index = error_index


class DuplicateBadge(ValidationFailed):
    """422, "already has this badge": the learner holds it. Find the badge and adopt it.

    Permanent, because sending it again changes nothing; catch it before asking `permanent`.
    """


class BatchRefused(ValidationFailed):
    """422 to a batch: this batch will never be accepted, because of the badge at `error_index`.

    `duplicate` says that the learner of that badge holds it. Whether the others were issued is
    not documented: look each of them up, send those that are missing without the one to blame.
    """

    outcome_unknown = True
    duplicate = False
