"""Badges on badges in one file: which template needs which, and where it says so."""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID

from badges.definitions import badge_cycles, badges_named, circle_words
from badges.portable.cursor import Found
from badges.portable.definitions import RuleDef


class Chains:
    """Gathers, template by template, the rules that name other badges."""

    def __init__(self) -> None:
        self._open: list[tuple[UUID, Found]] = []
        self._named: dict[UUID, list[tuple[UUID, Found]]] = {}

    def add(self, event_type: str, rule: RuleDef, at: Found) -> None:
        """A rule of the template that is being read; `at` is its value."""
        self._open += [(uuid, at) for uuid in badges_named(event_type, [rule])]

    def close(self, template: UUID, *, is_active: bool) -> None:
        """The template has been read. Only active ones can go in a circle."""
        self._named[template] = self._open if is_active else []
        self._open = []

    def faults(self, stored: Mapping[UUID, Collection[UUID]]) -> Iterator[tuple[Found, str]]:
        """One per circle, at the rule that leads into it. `stored`: what the templates in the
        database need; those of the file replace them.
        """
        own = {uuid: {other for other, _ in named} for uuid, named in self._named.items()}
        for circle in badge_cycles({**stored, **own}, through=own):
            place = next(at for other, at in self._named[circle[0]] if other == circle[1])
            yield place, circle_words(circle)
