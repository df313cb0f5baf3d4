"""A provider that answers nonsense about some people and is honest about the others."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import uuid4

import attrs

from credentials.issuances import SETTLED_WITHOUT
from credentials.models import Issuance
from credentials.providers.base import External

SOUND = External(id="", state=Issuance.State.AVAILABLE, url="https://liar/badge")


class LyingProvider:
    """`answers`: what it says of a badge, by the learner's username; an exception is raised.
    `badges`: of the learners that it made one for, once for each.
    """

    answers: ClassVar[dict[str, Any]] = {}
    badges: ClassVar[list[str]] = []

    @classmethod
    def clear(cls) -> None:
        cls.answers.clear()
        cls.badges.clear()

    def check(self) -> Sequence[str]:
        return ()

    def issue(self, issuance: Issuance) -> Any:
        self.badges.append(issuance.credential.learner.username)
        return self._answer(issuance)

    def find(self, issuance: Issuance) -> Any:
        if issuance.credential.learner.username in self.badges:
            return self._answer(issuance)
        return None

    def revoke(self, issuance: Issuance) -> Any:
        return self._answer(issuance, honest=Issuance.State.REVOKED)

    def is_paused(self, issuance: Issuance) -> bool:
        if self.answers.get(issuance.credential.learner.username) is OSError:
            raise OSError("Nobody can tell.")
        return False

    def _answer(self, issuance: Issuance, *, honest: str = Issuance.State.AVAILABLE) -> Any:
        lie = self.answers.get(issuance.credential.learner.username)
        if isinstance(lie, Exception):
            raise lie
        if lie is not None and not isinstance(lie, Mapping):
            return lie
        own = issuance.external_id or str(uuid4())
        told = attrs.evolve(SOUND, **{"id": own, "state": honest, **(lie or {})})
        if told.state in SETTLED_WITHOUT:
            self.badges.remove(issuance.credential.learner.username)
        return told


class LyingInBatches(LyingProvider):
    """`told`: so many answers to each batch."""

    largest_batch = 50
    told: ClassVar[int] = 0

    def issue_many(self, issuances: Sequence[Issuance]) -> Sequence[External]:
        return [self.issue(each) for each in issuances][: self.told]
