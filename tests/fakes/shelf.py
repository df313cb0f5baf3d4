"""A provider that keeps badges on a shelf in memory; it knows nobody and nobody knows it."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import uuid4

from credentials.models import Issuance
from credentials.providers.base import External, ProviderError, UnknownOutcome


class ShelfProvider:
    """`faults` are raised by the next calls, one by one; an unknown outcome after it took place.
    `closed`: names under which it is paused.
    """

    badges: ClassVar[dict[str, str]] = {}  # id -> uuid of the credential
    calls: ClassVar[list[str]] = []
    faults: ClassVar[list[ProviderError]] = []

    closed: ClassVar[set[str]] = set()

    @classmethod
    def clear(cls) -> None:
        for each in (cls.badges, cls.calls, cls.faults, cls.closed):
            each.clear()

    def check(self) -> Sequence[str]:
        return ()

    def issue(self, issuance: Issuance) -> External:
        fault = self._call("issue")
        if fault is not None and not isinstance(fault, UnknownOutcome):
            raise fault
        badge_id = str(uuid4())
        self.badges[badge_id] = str(issuance.credential.uuid)
        if fault is not None:
            raise fault
        return External(
            id=badge_id, state=Issuance.State.AVAILABLE, url=f"https://shelf/{badge_id}"
        )

    def find(self, issuance: Issuance) -> External | None:
        if fault := self._call("find"):
            raise fault
        wanted = str(issuance.credential.uuid)
        found = [badge_id for badge_id, uuid in self.badges.items() if uuid == wanted]
        return External(id=found[0], state=Issuance.State.AVAILABLE) if found else None

    def revoke(self, issuance: Issuance) -> External:
        if fault := self._call("revoke"):
            raise fault
        self.badges.pop(str(issuance.external_id), None)
        return External(id=str(issuance.external_id), state=Issuance.State.REVOKED)

    def is_paused(self, issuance: Issuance) -> bool:
        return issuance.provider in self.closed

    def _call(self, name: str) -> ProviderError | None:
        self.calls.append(name)
        return self.faults.pop(0) if self.faults else None
