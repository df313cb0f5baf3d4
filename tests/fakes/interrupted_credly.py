"""Credly, with something else going on in the middle of its calls."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from credentials.models import Issuance
from credentials.providers.base import External
from credentials.providers.credly import CredlyProvider


class WorkerDied(BaseException):
    """The process ended: nothing after it is carried out."""


class InterruptedCredly:
    """`before_issue` and `after_issue` run once, around the next call that issues. It takes one
    call after the other, in the worker's own thread, where those may use the database.
    """

    before_issue: ClassVar[Callable[[], None] | None] = None
    after_issue: ClassVar[Callable[[], None] | None] = None

    def __init__(self) -> None:
        self._credly = CredlyProvider()

    def check(self) -> Sequence[str]:
        return self._credly.check()

    def issue(self, issuance: Issuance) -> External:
        before, after = type(self).before_issue, type(self).after_issue
        type(self).before_issue = type(self).after_issue = None
        if before is not None:
            before()
        issued = self._credly.issue(issuance)
        if after is not None:
            after()
        return issued

    def find(self, issuance: Issuance) -> External | None:
        return self._credly.find(issuance)

    def revoke(self, issuance: Issuance) -> External:
        return self._credly.revoke(issuance)

    def is_paused(self, issuance: Issuance) -> bool:
        return self._credly.is_paused(issuance)
