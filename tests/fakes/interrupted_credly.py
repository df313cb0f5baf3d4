"""Credly, with something else going on in the middle of its calls."""

from collections.abc import Callable
from typing import ClassVar

from credentials.models import Issuance
from credentials.providers.base import External
from credentials.providers.credly import CredlyProvider


class WorkerDied(BaseException):
    """The process ended: nothing after it is carried out."""


class InterruptedCredly(CredlyProvider):
    """`before_issue` and `after_issue` run once, around the next call that issues."""

    before_issue: ClassVar[Callable[[], None] | None] = None
    after_issue: ClassVar[Callable[[], None] | None] = None

    def issue(self, issuance: Issuance) -> External:
        before, after = type(self).before_issue, type(self).after_issue
        type(self).before_issue = type(self).after_issue = None
        if before is not None:
            before()
        issued = super().issue(issuance)
        if after is not None:
            after()
        return issued
