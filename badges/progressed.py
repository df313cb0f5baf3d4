"""What the steps hand to one another."""

import attrs

from badges.accounts import Pair
from badges.rules.book import TemplateMatch
from badges.rules.progress import Effect
from credentials.lifecycle import Transition
from events.event import LearnerEvent


@attrs.frozen
class LearnerMatch:
    """One event of one learner, and what it met of one template."""

    event: LearnerEvent
    match: TemplateMatch

    @property
    def pair(self) -> Pair:
        return self.event.learner_id, self.match.template.id


@attrs.frozen
class Progressed:
    """What the matches did, one tuple of effects per match, and the transitions they made, both
    in the order in which it happened.
    """

    effects: tuple[tuple[LearnerMatch, tuple[Effect, ...]], ...] = ()
    transitions: tuple[Transition, ...] = ()
