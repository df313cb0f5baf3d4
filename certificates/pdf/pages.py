"""Laying what was drawn over a page of the template, which keeps all of its pages."""

import secrets
from io import BytesIO
from typing import Final

import attrs
from pypdf import PageObject, PdfReader, PdfWriter, Transformation
from pypdf.constants import UserAccessPermissions
from pypdf.generic import (
    BooleanObject,
    DictionaryObject,
    NameObject,
    TextStringObject,
)

_READ_AND_PRINT: Final = (
    UserAccessPermissions.PRINT
    | UserAccessPermissions.PRINT_TO_REPRESENTATION
    | UserAccessPermissions.EXTRACT_TEXT_AND_GRAPHICS
)


class TemplateError(ValueError):
    """The template has no such page."""


@attrs.frozen
class Description:
    """What the file says of itself."""

    title: str
    author: str
    language: str


@attrs.frozen
class Template:
    """A PDF, and the page of it (from 1) that is drawn upon."""

    data: bytes
    page: int

    def open(self) -> PdfWriter:
        """Raises TemplateError."""
        writer = PdfWriter(clone_from=PdfReader(BytesIO(self.data)))
        if len(writer.pages) < self.page:
            raise TemplateError(
                f"The template has {len(writer.pages)} pages, and the text is to stand on page "
                f"{self.page}."
            )
        # What is drawn stands upright on the page as it is seen.
        page = writer.pages[self.page - 1]
        if page.rotation:
            page.transfer_rotation_to_content()
        return writer


def size_of(writer: PdfWriter, *, page: int) -> tuple[float, float]:
    """Width and height of what is seen of it, in points."""
    box = writer.pages[page - 1].cropbox
    return float(box.width), float(box.height)


def merged(
    writer: PdfWriter, *, page: int, overlay: bytes, description: Description, protected: bool
) -> bytes:
    """The finished file; `writer` is used up. `protected`: everybody may open, print and copy
    from it, nobody may change it.
    """
    below: PageObject = writer.pages[page - 1]
    corner = below.cropbox.lower_left
    drawn = PdfReader(BytesIO(overlay)).pages[0]
    if corner == (0, 0):
        below.merge_page(drawn)
    else:
        shift = Transformation().translate(float(corner[0]), float(corner[1]))
        below.merge_transformed_page(drawn, shift)
    _describe(writer, description)
    finished = _written(writer)
    return _protected(finished) if protected else finished


def _written(writer: PdfWriter) -> bytes:
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _protected(data: bytes) -> bytes:
    """Of a finished file: pypdf 7 loses what was merged into a page that it encrypts."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    writer.encrypt(
        "",
        owner_password=secrets.token_urlsafe(32),
        permissions_flag=_READ_AND_PRINT,
        algorithm="AES-256",
    )
    return _written(writer)


def _describe(writer: PdfWriter, description: Description) -> None:
    writer.metadata = {
        "/Title": description.title,
        "/Author": description.author,
        "/Creator": "Laurel",
    }
    root = writer.root_object
    root[NameObject("/Lang")] = TextStringObject(description.language)
    root[NameObject("/ViewerPreferences")] = DictionaryObject(
        {NameObject("/DisplayDocTitle"): BooleanObject(value=True)}
    )
