"""Drawing on one transparent page what is laid over the template. See certificates.pdf.layout."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import Final

import attrs
from reportlab.graphics.barcode import qrencoder
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from certificates.pdf import typefaces
from certificates.pdf.fitting import Fitted, Room, fit
from certificates.pdf.layout import NAME, Code, Element, Layout, filled

_MARGIN: Final = 18.0  # nothing stands nearer to the edge by itself
_GRID: Final = 50
# A font object of reportlab is not made for two documents at the same time.
_ONE_AT_A_TIME: Final = threading.Lock()

FontOf = Callable[[str], TTFont]
ImageOf = Callable[[str], bytes]


@attrs.frozen
class Line:
    """`y` is its baseline."""

    x: float
    y: float
    size: float
    color: str
    runs: tuple[typefaces.Run, ...]


def overlay(
    layout: Layout,
    *,
    values: Mapping[str, str],
    page_size: tuple[float, float],
    font_of: FontOf,
    image_of: ImageOf,
    grid: bool = False,
) -> bytes:
    """A PDF of one page. `values`: what the placeholders stand for, `verify_url` for the QR code.
    `grid`: with lines and numbers every 50 points, for whoever makes a layout. Raises
    UndrawableError.
    """
    with _ONE_AT_A_TIME:
        lines = placed(layout, values=values, page_size=page_size, font_of=font_of)
        buffer = BytesIO()
        canvas = Canvas(buffer, pagesize=page_size, invariant=1, pageCompression=1)
        if grid:
            _draw_grid(canvas, page_size)
        for picture in layout.images:
            _draw_image(canvas, image_of(picture.image), picture.x, picture.y, picture.width)
        if layout.qr is not None:
            _draw_code(canvas, layout.qr, values["verify_url"])
        for line in lines:
            _draw_line(canvas, line)
        canvas.showPage()
        canvas.save()
        return buffer.getvalue()


def placed(
    layout: Layout,
    *,
    values: Mapping[str, str],
    page_size: tuple[float, float],
    font_of: FontOf,
) -> list[Line]:
    """Every line of text with its place; all within the page."""
    place = partial(_place, values=values, page_size=page_size, font_of=font_of)
    elements = layout.elements
    if NAME in elements and len(place(elements[NAME])) > 1:
        elements = layout.long_elements
    return [line for element in elements.values() for line in place(element)]


def _place(
    element: Element,
    *,
    values: Mapping[str, str],
    page_size: tuple[float, float],
    font_of: FontOf,
) -> list[Line]:
    text = typefaces.plain(filled(element.text, values=values)).strip()
    if not text:
        return []
    if element.uppercase:
        text = text.upper()
    font = font_of(element.font)
    # Of the whole text: every character that is in the way is named, not only the first.
    typefaces.runs(text.replace("\n", " "), font=font)
    fitted = fit(
        text,
        room=_room(element, page_size=page_size),
        measure=lambda part: typefaces.width(part, font=font),
    )
    return _lines(element, fitted, font=font)


def _room(element: Element, *, page_size: tuple[float, float]) -> Room:
    page_width, _ = page_size
    left, right = element.x - _MARGIN, page_width - _MARGIN - element.x
    widest = {"left": right, "right": left, "center": 2 * min(left, right)}[element.align]
    widest = max(widest, _MARGIN)
    return Room(
        width=min(element.width or widest, widest),
        height=max(element.y - _MARGIN, 0),
        size=element.size,
        min_size=element.min_size,
        max_lines=element.max_lines,
        line_height=element.line_height,
    )


def _lines(element: Element, fitted: Fitted, *, font: TTFont) -> list[Line]:
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[element.align]
    lines = []
    for number, text in enumerate(fitted.lines):
        width = typefaces.width(text, font=font) * fitted.size
        lines.append(
            Line(
                x=element.x - share * width,
                y=element.y - number * fitted.size * element.line_height,
                size=fitted.size,
                color=element.color,
                runs=typefaces.runs(text, font=font),
            )
        )
    return lines


def _draw_line(canvas: Canvas, line: Line) -> None:
    text = canvas.beginText(line.x, line.y)
    text.setFillColor(HexColor(line.color))
    for run in line.runs:
        text.setFont(run.font.fontName, line.size)
        text.textOut(run.text)
    canvas.drawText(text)


def _draw_image(canvas: Canvas, data: bytes, x: float, y: float, width: float) -> None:
    image = ImageReader(BytesIO(data))
    pixels_wide, pixels_high = image.getSize()
    height = width * pixels_high / pixels_wide
    canvas.drawImage(image, x, y, width=width, height=height, mask="auto")


def _draw_code(canvas: Canvas, code: Code, content: str) -> None:
    """On white, with the quiet zone of four modules that readers need."""
    qr = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    qr.addData(content)
    qr.make()
    count = qr.getModuleCount()
    module = code.size / (count + 8)
    canvas.saveState()
    canvas.setFillColor(HexColor("#ffffff"))
    canvas.rect(code.x, code.y, code.size, code.size, stroke=0, fill=1)
    canvas.setFillColor(HexColor(code.color))
    path = canvas.beginPath()
    for row in range(count):
        for start, length in _dark(qr, row, count):
            left = code.x + (4 + start) * module
            bottom = code.y + (4 + count - 1 - row) * module
            path.rect(left, bottom, length * module, module)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()


def _dark(qr: qrencoder.QRCode, row: int, count: int) -> list[tuple[int, int]]:
    """Dark modules side by side: where they begin and how many."""
    found: list[tuple[int, int]] = []
    for column in range(count):
        if not qr.isDark(row, column):
            continue
        if found and sum(found[-1]) == column:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((column, 1))
    return found


def _draw_grid(canvas: Canvas, page_size: tuple[float, float]) -> None:
    width, height = page_size
    canvas.saveState()
    canvas.setStrokeColor(HexColor("#3b82f6"))
    canvas.setFillColor(HexColor("#1d4ed8"))
    canvas.setFont(typefaces.packaged("sans").fontName, 6)
    canvas.setLineWidth(0.25)
    for x in range(_GRID, int(width), _GRID):
        canvas.line(x, 0, x, height)
        canvas.drawString(x + 1, 2, str(x))
    for y in range(_GRID, int(height), _GRID):
        canvas.line(0, y, width, y)
        canvas.drawString(2, y + 1, str(y))
    canvas.restoreState()
