"""LC-7: files that cannot be drawn with are refused when they are uploaded."""

import struct
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from certificates.pdf import typefaces, uploads
from tests.unit.certificates.pdf.papers import blank

FONTS = Path(typefaces.__file__).parent / "fonts"
NOTO = FONTS / "NotoSans-Regular.ttf"


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(blank())))
    writer.encrypt("", owner_password="owner", algorithm="AES-256")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def no_pages() -> bytes:
    buffer = BytesIO()
    PdfWriter().write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "This is not a PDF."),
        (b"<html>%PDF", "This is not a PDF."),
        (b"%PDF-1.7\nand then nothing", "This PDF is damaged"),
        (blank()[:200], "This PDF is damaged"),
        (encrypted(), "This PDF is encrypted."),
        (no_pages(), "This PDF has no pages."),
        (blank((595, 842), (10, 842)), "Page 2 is 10 by 842 points"),
    ],
)
def test_lc_7_pdf(data: bytes, says: str) -> None:
    assert uploads.pdf_fault(data).startswith(says)


def test_good_ones() -> None:
    assert uploads.pdf_fault(blank()) == ""
    for kind in ("PNG", "JPEG"):
        buffer = BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, kind)
        assert uploads.image_fault(buffer.getvalue()) == ""
    for font in FONTS.glob("*.ttf"):
        assert uploads.font_fault(font.read_bytes()) == ""


def picture(kind: str, side: int = 4) -> bytes:
    buffer = BytesIO()
    Image.new("1", (side, side)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<svg/>", "This is neither a PNG nor a JPEG."),
        (picture("GIF"), "This is neither a PNG nor a JPEG."),
        (picture("PNG", 400)[:60], "This picture is damaged"),
        (picture("PNG", 6000), "This picture has more than 25 million pixels."),
        (picture("PNG", 20_000), "This picture has far too many pixels."),
    ],
)
def test_lc_7_image(data: bytes, says: str) -> None:
    assert uploads.image_fault(data).startswith(says)


def restricted() -> bytes:
    """A font whose license forbids to embed it."""
    data = bytearray(NOTO.read_bytes())
    at = data.index(b"OS/2")
    (offset,) = struct.unpack_from(">L", data, at + 8)
    struct.pack_into(">H", data, offset + 8, 2)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "This font cannot be put into a PDF"),
        (b"OTTO" + bytes(100), "This font cannot be put into a PDF"),
        (b"%!PS-AdobeFont", "This font cannot be put into a PDF"),
        (
            NOTO.read_bytes()[:1000],
            "This font cannot be put into a PDF",
        ),
        (restricted(), "The license of this font does not allow"),
    ],
)
def test_lc_7_font(data: bytes, says: str) -> None:
    assert uploads.font_fault(data).startswith(says)
