"""What is wrong with a file that somebody wants to draw with: one plain sentence, or nothing."""

import struct
import warnings
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError
from pypdf import PdfReader

from certificates.pdf import typefaces

_PIXELS: Final = 25_000_000
_FORMATS: Final = ("PNG", "JPEG")
_SMALLEST: Final = 72.0  # points: an inch
_LARGEST: Final = 14400.0  # what readers can show
_NOT_TO_BE_EMBEDDED: Final = 0x0002  # OpenType, table OS/2, fsType


def pdf_fault(data: bytes) -> str:
    if b"%PDF-" not in data[:1024]:
        return "This is not a PDF."
    try:
        with warnings.catch_warnings(action="ignore"):
            reader = PdfReader(BytesIO(data))
            if reader.is_encrypted:
                return "This PDF is encrypted. Save it without a password and without protection."
            count = len(reader.pages)
            boxes = [page.cropbox for page in reader.pages]
    except Exception as error:  # noqa: BLE001 -- pypdf trusts a file and stumbles in many ways
        return f"This PDF is damaged: {error}"
    if count == 0:
        return "This PDF has no pages."
    for number, box in enumerate(boxes, 1):
        sides = (float(box.width), float(box.height))
        if min(sides) < _SMALLEST or max(sides) > _LARGEST:
            return f"Page {number} is {sides[0]:g} by {sides[1]:g} points: that is no page."
    return ""


def image_fault(data: bytes) -> str:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(data)) as image:
            if image.format not in _FORMATS:
                return "This is neither a PNG nor a JPEG."
            if image.width * image.height > _PIXELS:
                millions = _PIXELS // 1_000_000
                return f"This picture has more than {millions} million pixels."
            image.load()
    except Image.DecompressionBombError:
        return "This picture has far too many pixels."
    except UnidentifiedImageError:
        return "This is neither a PNG nor a JPEG."
    except Exception as error:  # noqa: BLE001 -- Pillow trusts a file and stumbles in many ways
        return f"This picture is damaged: {error}"
    return ""


def font_fault(data: bytes) -> str:
    try:
        font = typefaces.parsed(data)
    except typefaces.FontError as error:
        return f"This font cannot be put into a PDF, it takes one with TrueType outlines: {error}"
    if _embedding(data) & 0x000F == _NOT_TO_BE_EMBEDDED:
        return "The license of this font does not allow to put it into a PDF."
    if not font.face.charToGlyph:
        return "This font has no characters."
    return ""


def _embedding(data: bytes) -> int:
    """Which uses the font's maker allows; 0, everything, where nothing is said."""
    (tables,) = struct.unpack_from(">H", data, 4)
    for number in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sLLL", data, 12 + 16 * number)
        if tag == b"OS/2":
            return int(struct.unpack_from(">H", data, offset + 8)[0])
    return 0
