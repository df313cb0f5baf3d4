"""Drawing for the tests: a layout in, a PDF and what can be read of it out."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader, PdfWriter
from reportlab.pdfbase.ttfonts import TTFont

from certificates.options import merged, with_defaults
from certificates.pdf import design, drawing, layout, pages, typefaces

VALUES = {
    "name": "Łukasz Ñandú",
    "context_name": "Data Explorer",
    "issuer": "Acme Academy",
    "issue_date": "1 March 2026",
    "verify_uuid": "0d4a1b2c-0d4a-4d4a-8d4a-0d4a1b2c3d4e",
    "verify_url": "https://laurel.example/verify/0d4a1b2c-0d4a-4d4a-8d4a-0d4a1b2c3d4e/",
}


def blank(*sizes: tuple[float, float], rotation: int = 0) -> bytes:
    """A template of empty pages; A4 upright without sizes."""
    writer = PdfWriter()
    for width, height in sizes or ((595, 842),):
        writer.add_blank_page(width, height).rotate(rotation)
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def draw(
    options: Mapping[str, Any] = design.OPTIONS,
    *,
    template: bytes | None = None,
    fonts: Mapping[str, bytes] | None = None,
    images: Mapping[str, bytes] | None = None,
    **values: str,
) -> bytes:
    own = fonts or {}
    plan = layout.read(with_defaults(layout.SCHEMA, merged(options)))
    told = {**VALUES, **values}

    def font_of(slug: str) -> TTFont:
        return typefaces.of_bytes(own[slug]) if slug in own else typefaces.packaged(slug)

    writer = pages.Template(template or design.FILE.read_bytes(), plan.page).open()
    overlay = drawing.overlay(
        plan,
        values=told,
        page_size=pages.size_of(writer, page=plan.page),
        font_of=font_of,
        image_of=(images or {}).__getitem__,
    )
    return pages.merged(
        writer,
        page=plan.page,
        overlay=overlay,
        description=pages.Description(
            layout.filled(plan.title, values=told), told["issuer"], language="en"
        ),
        protected=plan.protected,
    )


def simple(**elements: Mapping[str, Any]) -> dict[str, Any]:
    return {"template": "any", "elements": elements}


def page(data: bytes, number: int = 1) -> PageObject:
    return PdfReader(BytesIO(data)).pages[number - 1]


def text(data: bytes, number: int = 1) -> str:
    return page(data, number).extract_text()


def places(data: bytes, number: int = 1) -> list[tuple[str, float, float, float]]:
    """Text, x, y and size of each piece, as a reader finds them."""
    found: list[tuple[str, float, float, float]] = []

    def visit(piece: str, _cm: Any, tm: list[float], _font: Any, size: float) -> None:
        if piece.strip():
            found.append((piece.strip(), tm[4], tm[5], size))

    page(data, number).extract_text(visitor_text=visit)
    return found
