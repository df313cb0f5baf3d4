"""Text that stays where it belongs: shrunk to one line, then wrapped. Pure, without fonts."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

import attrs

Measure = Callable[[str], float]
"""Width of a text at size 1."""

_STEP: Final = 0.96
_SMALLEST: Final = 0.5
_EVEN_STEPS: Final = 12


@attrs.frozen
class Room:
    """Where a text may be: points of the page. `size` is the size it is wanted in; on one line it
    is shrunk down to `min_size` before it is wrapped into `max_lines` lines at most. `height`:
    from the first baseline down to the last.
    """

    width: float
    height: float
    size: float
    min_size: float
    max_lines: int
    line_height: float


@attrs.frozen
class Fitted:
    lines: tuple[str, ...]
    size: float


def fit(text: str, *, room: Room, measure: Measure) -> Fitted:
    """Always fits: where nothing else helps, the size goes below `min_size`, and at last everything
    stands on one line.
    """
    widest = max((measure(line) for line in text.split("\n")), default=0.0)
    if "\n" not in text:
        shrunk = min(room.size, room.width / widest) if widest else room.size
        if shrunk >= room.min_size or room.max_lines == 1:
            return Fitted((text,), shrunk)
    size = room.size
    while True:
        lines = wrap(text, width=room.width / size, measure=measure)
        needed = (len(lines) - 1) * size * room.line_height
        allowed = max(room.max_lines, text.count("\n") + 1)
        too_wide = any(measure(line) > room.width / size for line in lines)  # a single letter
        if len(lines) <= allowed and needed <= room.height and not too_wide:
            return Fitted(_evened(text, lines, width=room.width / size, measure=measure), size)
        size *= _STEP
        if size < _SMALLEST:  # lines of its own, and no room for a second one
            return fit(
                text.replace("\n", " "), room=attrs.evolve(room, max_lines=1), measure=measure
            )


def wrap(text: str, *, width: float, measure: Measure) -> tuple[str, ...]:
    """Lines of at most `width`, at size 1. A word that is wider alone is cut."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _pieces(paragraph):
            if not line or measure((line + piece).rstrip()) <= width:
                line += piece if line else piece.lstrip()
            else:
                lines.append(line.rstrip())
                line = piece.lstrip()
            while line and measure(line.rstrip()) > width:
                cut = _longest(line, width=width, measure=measure)
                lines.append(line[:cut])
                line = line[cut:]
        if line or not paragraph:
            lines.append(line.rstrip())
    return tuple(lines)


def _evened(
    text: str, lines: tuple[str, ...], *, width: float, measure: Measure
) -> tuple[str, ...]:
    """The same number of lines, as equally long as can be: no single word on the last one."""
    if len(lines) == 1:
        return lines
    narrow, wide, best = width / 2, width, lines
    for _ in range(_EVEN_STEPS):
        middle = (narrow + wide) / 2
        tried = wrap(text, width=middle, measure=measure)
        if len(tried) <= len(lines) and not _cuts_words(tried, text):
            wide, best = middle, tried
        else:
            narrow = middle
    return best


def _cuts_words(lines: Sequence[str], text: str) -> bool:
    pieces = {piece.strip() for piece in _pieces(text.replace("\n", " "))}
    return any(piece.strip() not in pieces for line in lines for piece in _pieces(line))


def _pieces(text: str) -> list[str]:
    """Where a line may end: after spaces, and between ideographs, which know no spaces."""
    pieces: list[str] = []
    for index, each in enumerate(text):
        before = text[index - 1] if index else ""
        starts = not pieces or (before == " " and each != " ") or _is_wide(each) or _is_wide(before)
        if starts:
            pieces.append(each)
        else:
            pieces[-1] += each
    return pieces


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in {"W", "F"}


def _longest(text: str, *, width: float, measure: Measure) -> int:
    """How many characters fit; one at least."""
    count = 1
    while count < len(text) and measure(text[: count + 1]) <= width:
        count += 1
    return count
