"""Which font draws which character: the font that was asked for, then those that stand in.

Nothing is ever drawn as an empty box: text that no font can draw is refused.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

import attrs
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

_FOLDER: Final = Path(__file__).parent / "fonts"
_FILES: Final[Mapping[str, str]] = {
    "sans": "NotoSans-Regular.ttf",
    "sans-bold": "NotoSans-Bold.ttf",
    "serif": "NotoSerif-Regular.ttf",
    "serif-bold": "NotoSerif-Bold.ttf",
    "serif-italic": "NotoSerif-Italic.ttf",
    "cjk": "DroidSansFallback.ttf",
    "hangul": "LaurelHangul.ttf",
}
_STAND_INS: Final = ("sans", "cjk", "hangul")
PACKAGED: Final = tuple(slug for slug in _FILES if slug not in {"cjk", "hangul"})

# Written from right to left, or with letters that change beside others: that takes a shaping
# engine, which there is none here. A font alone would draw them wrongly.
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_SHAPED: Final = ((0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x17FF), (0x1800, 0x18AF))
_NAMED: Final = 10  # characters that a message names


class UndrawableError(ValueError):
    """No font can draw these characters; the message names them. Another font may."""

    def __init__(self, characters: str) -> None:
        named = [
            f"{each} (U+{ord(each):04X} {unicodedata.name(each, 'without a name')})"
            for each in characters[:_NAMED]
        ]
        more = f" and {len(characters) - _NAMED} more" if len(characters) > _NAMED else ""
        super().__init__(f"No font here can draw {', '.join(named)}{more}.")
        self.characters = characters


class FontError(ValueError):
    """These bytes are no font that a PDF can carry; the message says why."""


@attrs.frozen
class Run:
    """Text that one font draws."""

    text: str
    font: TTFont


@cache
def packaged(slug: str) -> TTFont:
    """One of PACKAGED, or a font that stands in."""
    return _registered(TTFont(f"laurel-{slug}", _FOLDER / _FILES[slug]))


@lru_cache(maxsize=64)
def of_bytes(data: bytes) -> TTFont:
    """A font of one's own. Raises FontError."""
    return _registered(parsed(data))


def parsed(data: bytes) -> TTFont:
    """Not fit to be drawn with yet. Raises FontError."""
    name = f"own-{hashlib.sha256(data).hexdigest()[:16]}"
    try:
        return TTFont(name, BytesIO(data))
    except TTFError as error:
        raise FontError(str(error)) from error
    except Exception as error:  # reportlab trusts the tables of a file: it stumbles in many ways
        raise FontError(f"the file is damaged: {error!r}") from error


def _registered(font: TTFont) -> TTFont:
    pdfmetrics.registerFont(font)
    return font


def plain(text: str) -> str:
    """Composed, as fonts have it; without characters that are only commands. Ends of lines stay."""
    composed = unicodedata.normalize("NFC", text)
    spaced = ("\n" if each == "\n" else " " if each.isspace() else each for each in composed)
    return "".join(each for each in spaced if each == "\n" or unicodedata.category(each)[0] != "C")


def runs(text: str, *, font: TTFont) -> tuple[Run, ...]:
    """`text` cut where another font has to take over. Raises UndrawableError."""
    found: list[Run] = []
    undrawable: dict[str, None] = {}
    for cluster in _clusters(text):
        able = next((each for each in _chain(font) if _draws(each, cluster)), None)
        if able is None or any(_needs_shaping(each) for each in cluster):
            undrawable |= dict.fromkeys(cluster)
        elif found and found[-1].font is able:
            found[-1] = Run(found[-1].text + cluster, able)
        else:
            found.append(Run(cluster, able))
    if undrawable:
        raise UndrawableError("".join(undrawable))
    return tuple(found)


def width(text: str, *, font: TTFont) -> float:
    """At size 1. Raises UndrawableError."""
    return sum(_width(cluster, font) for cluster in _clusters(text))


@lru_cache(maxsize=20_000)
def _width(cluster: str, font: TTFont) -> float:
    """There is no kerning: the width of a text is that of its letters."""
    return float(sum(each.font.stringWidth(each.text, 1) for each in runs(cluster, font=font)))


def _chain(font: TTFont) -> Iterator[TTFont]:
    """Lazily: the large ones are loaded when somebody needs them."""
    yield font
    for slug in _STAND_INS:
        yield packaged(slug)


def _clusters(text: str) -> Iterator[str]:
    """A letter with the marks upon it, which one font has to draw."""
    cluster = ""
    for each in text:
        if cluster and not unicodedata.combining(each):
            yield cluster
            cluster = ""
        cluster += each
    if cluster:
        yield cluster


def _draws(font: TTFont, cluster: str) -> bool:
    glyphs = font.face.charToGlyph
    return all(ord(each) in glyphs for each in cluster)


def _needs_shaping(character: str) -> bool:
    code = ord(character)
    return unicodedata.bidirectional(character) in _RIGHT_TO_LEFT or any(
        first <= code <= last for first, last in _SHAPED
    )
