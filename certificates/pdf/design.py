"""The design that Laurel brings along: a landscape A4 page, and where the text stands on it.

    python -m certificates.pdf.design

draws it anew into designs/laurel.pdf, where it is kept as any other template would be.
"""

import math
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # `draw` imports it late: options are read where nothing is drawn
    from reportlab.pdfgen.canvas import Canvas

FILE: Final = Path(__file__).parent / "designs" / "laurel.pdf"
_WIDTH: Final = 842
_HEIGHT: Final = 595
_PAPER: Final = "#fdfcf8"
_GREEN: Final = "#2f5d50"
_LEAF: Final = "#6f9a82"
_GOLD: Final = "#b8975a"
_MIDDLE: Final = _WIDTH // 2

OPTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "template": "laurel",
        "elements": {
            "heading": {
                "text": "{issuer}",
                "x": _MIDDLE,
                "y": 408,
                "align": "center",
                "font": "sans",
                "size": 13,
                "width": 600,
                "max_lines": 1,
                "color": "#5b6b66",
            },
            "name": {
                "x": _MIDDLE,
                "y": 335,
                "align": "center",
                "font": "serif-bold",
                "size": 42,
                "min_size": 26,
                "width": 660,
                "color": "#1f2d2a",
            },
            "context": {
                "x": _MIDDLE,
                "y": 258,
                "align": "center",
                "font": "serif-italic",
                "size": 24,
                "min_size": 17,
                "width": 620,
                "max_lines": 2,
                "color": "#2f5d50",
            },
            "date": {
                "x": 90,
                "y": 108,
                "font": "sans",
                "size": 13,
                "width": 420,
                "max_lines": 1,
                "color": "#1f2d2a",
            },
            "verify_uuid": {
                "x": 90,
                "y": 84,
                "font": "sans",
                "size": 8.5,
                "width": 480,
                "max_lines": 1,
                "color": "#5b6b66",
                "text": "{verify_url}",
            },
        },
        "multi_line": {
            "name": {"y": 368, "size": 27, "min_size": 18, "line_height": 1.15},
            "context": {"y": 240, "size": 20, "min_size": 15},
        },
        "qr": {"x": 672, "y": 66, "size": 92, "color": "#1f2d2a"},
    }
)


def draw() -> bytes:
    """The page without text."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(_WIDTH, _HEIGHT), invariant=1, pageCompression=1)
    canvas.setFillColor(_PAPER)
    canvas.rect(0, 0, _WIDTH, _HEIGHT, stroke=0, fill=1)
    canvas.setStrokeColor(_GREEN)
    canvas.setLineWidth(2.5)
    canvas.rect(28, 28, _WIDTH - 56, _HEIGHT - 56)
    canvas.setStrokeColor(_GOLD)
    canvas.setLineWidth(0.8)
    canvas.rect(37, 37, _WIDTH - 74, _HEIGHT - 74)
    for side in (-1, 1):
        _draw_branch(canvas, side)
    canvas.setStrokeColor(_GOLD)
    canvas.setLineWidth(1)
    canvas.line(_MIDDLE - 130, 290, _MIDDLE + 130, 290)
    canvas.line(90, 130, 400, 130)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw_branch(canvas: "Canvas", side: int) -> None:
    """One half of the wreath, `side` of its middle."""
    middle_x, middle_y, radius = _MIDDLE, 490.0, 44.0
    canvas.setStrokeColor(_GREEN)
    canvas.setLineWidth(1.6)
    stem = canvas.beginPath()
    for step in range(25):
        angle = math.radians(-86 + step * 6.2)
        x = middle_x + side * radius * math.cos(angle)
        y = middle_y + radius * math.sin(angle)
        (stem.moveTo if step == 0 else stem.lineTo)(x, y)
    canvas.drawPath(stem)
    for number in range(8):
        angle = -70 + number * 17.5
        length = 21 - number * 0.9
        for outward in (-1, 1):
            x = middle_x + side * radius * math.cos(math.radians(angle))
            y = middle_y + radius * math.sin(math.radians(angle))
            turn = angle + 90 - outward * 38
            _draw_leaf(canvas, x, y, side=side, turn=turn, length=length)


def _draw_leaf(
    canvas: "Canvas", x: float, y: float, *, side: int, turn: float, length: float
) -> None:
    canvas.saveState()
    canvas.translate(x, y)
    canvas.scale(side, 1)
    canvas.rotate(turn)
    canvas.setFillColor(_LEAF)
    leaf = canvas.beginPath()
    leaf.moveTo(0, 0)
    leaf.curveTo(length * 0.3, length * 0.28, length * 0.75, length * 0.24, length, 0)
    leaf.curveTo(length * 0.75, -length * 0.12, length * 0.3, -length * 0.14, 0, 0)
    canvas.drawPath(leaf, stroke=0, fill=1)
    canvas.restoreState()


if __name__ == "__main__":
    FILE.write_bytes(draw())
