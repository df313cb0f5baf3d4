"""Certificates as pictures: those that the tests compare with, and those of the documentation.

    python -m tests.unit.certificates.pdf.pictures

draws all of them anew. Look at every one that changed before it is committed.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageDraw

from certificates.options import merged, with_defaults
from certificates.pdf import design, drawing, layout, pages, typefaces
from tests.processes import ROOT
from tests.unit.certificates.pdf.papers import VALUES, blank, draw

SAMPLES = ROOT / "tests/samples/certificates"
DOCS = ROOT / "docs/badges/images"
LONG = "María de los Ángeles Fernández-Villaverde y Rodríguez de la Borbolla Martínez"

EVERYTHING: Mapping[str, Any] = {
    "template": "blank",
    "elements": {
        "name": {"x": 250, "y": 420, "align": "center", "font": "serif-bold", "size": 30},
        "context": {"x": 40, "y": 360, "size": 14, "color": "#a32020"},
        "date": {"x": 460, "y": 360, "size": 14, "align": "right"},
        "motto": {
            "text": "More than one line of text,\nset far apart: {issuer} 李雷",
            "x": 40,
            "y": 300,
            "line_height": 2,
            "font": "serif-italic",
            "size": 16,
            "uppercase": True,
        },
        "verify_uuid": {"x": 40, "y": 40, "size": 8, "color": "#5b6b66"},
    },
    "qr": {"x": 360, "y": 60, "size": 110},
    "images": [{"image": "seal", "x": 40, "y": 90, "width": 120}],
}


def seal() -> bytes:
    image = Image.new("RGB", (240, 120), "#ffffff")
    pen = ImageDraw.Draw(image)
    pen.ellipse((4, 4, 235, 115), fill="#2f5d50", outline="#b8975a", width=6)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _everything() -> bytes:
    return draw(EVERYTHING, template=blank((500, 500)), images={"seal": seal()})


def _turned() -> bytes:
    options = {"template": "blank", "elements": {"name": {"x": 20, "y": 20, "size": 30}}}
    return draw(options, template=blank((200, 300), rotation=90))


CASES: Mapping[str, Callable[[], bytes]] = {
    "packaged": draw,
    "packaged-long": lambda: draw(name=LONG, context_name="An introduction to " * 5),
    "packaged-chinese": lambda: draw(name="李雷", context_name="数据 데이터 データ"),
    "everything": _everything,
    "turned": _turned,
}


def grid() -> bytes:
    """The packaged design, as staff see it with the grid."""
    plan = layout.read(with_defaults(layout.SCHEMA, merged(design.OPTIONS)))
    writer = pages.Template(design.FILE.read_bytes(), plan.page).open()
    overlay = drawing.overlay(
        plan,
        values=VALUES,
        page_size=pages.size_of(writer, page=1),
        font_of=typefaces.packaged,
        image_of=lambda _slug: b"",
        grid=True,
    )
    told = pages.Description("", "", language="en")
    return pages.merged(writer, page=1, overlay=overlay, description=told, protected=False)


def picture(data: bytes, *, scale: float = 1) -> Image.Image:
    """Of the first page, a pixel to a point."""
    with pypdfium2.PdfDocument(data) as document:
        rendered: Image.Image = document[0].render(scale=scale).to_pil().convert("RGB")
    return rendered


def _save(image: Image.Image, file: Path) -> None:
    image.quantize(128).save(file, optimize=True)
    print(file.relative_to(ROOT))


def main() -> None:
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        _save(picture(case()), SAMPLES / f"{name}.png")
    for name in ("packaged", "packaged-long", "everything"):
        _save(picture(CASES[name]()), DOCS / f"certificate-{name}.png")
    _save(picture(grid()), DOCS / "certificate-grid.png")


if __name__ == "__main__":
    main()
