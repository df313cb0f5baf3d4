"""One certificate after the other: as the generator draws it, and merely drawing and merging the
same page by reportlab and pypdf.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import attrs
from pypdf import PdfReader, PdfWriter
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from certificates.assets import StoredAssets
from certificates.generators.base import Content
from certificates.generators.standard import StandardGenerator
from certificates.options import with_defaults
from certificates.pdf import design, layout, typefaces
from tests.benchmarks import cases
from tests.benchmarks.figures import Contender, Figure, seconds_of

_NAME: Final = "Łukasz Ñandú"
_TEXTS: Final = ("name", "context", "date", "verify_uuid")
_KEY: Final = UUID("0d4a1b2c-0d4a-4d4a-8d4a-0d4a1b2c3d4e")
_PLACES: Final[Mapping[str, Any]] = {
    name: {"x": 80, "y": 400 - 60 * number, "font": "serif", "size": 20}
    for number, name in enumerate(_TEXTS)
}


def drawn(*, database: str, repeat: int, number: int) -> tuple[Figure, Figure]:
    """Milliseconds for each; four texts in one font on the page that Laurel brings along."""
    options = with_defaults(layout.SCHEMA, {"template": "laurel", "elements": dict(_PLACES)})
    generate, assets = StandardGenerator(), StoredAssets()
    content = Content(
        name=_NAME,
        context_name="Data Explorer",
        issuer="Acme Academy",
        awarded_on=date(2026, 3, 1),
        verify_uuid=_KEY,
        verify_url=f"https://laurel.example/verify/{_KEY}/",
        language="en",
    )
    texts = (_NAME, content.context_name, "March 1, 2026", str(_KEY))
    names = [f"{number} {_NAME}" for number in range(number)]
    _same(generate(content, options, assets=assets), _bare(texts))

    def ours() -> None:
        for name in names:
            generate(attrs.evolve(content, name=name), options, assets=assets)

    def bare() -> None:
        for name in names:
            _bare((name, *texts[1:]))

    contenders = (
        Contender(cases.CERTIFICATE_BARE, _nothing, bare),
        Contender(cases.CERTIFICATE, _nothing, ours),
    )
    seconds_of(contenders, repeat=1)  # fonts
    seconds = seconds_of(contenders, repeat=repeat)
    return (
        Figure(cases.CERTIFICATE, database, _each(seconds[cases.CERTIFICATE], number), "ms"),
        Figure(
            cases.CERTIFICATE_BARE, database, _each(seconds[cases.CERTIFICATE_BARE], number), "ms"
        ),
    )


def _bare(texts: tuple[str, ...]) -> bytes:
    """Only what the two libraries do; the font is there already, and no page is measured."""
    font: TTFont = typefaces.packaged("serif")
    drawn_on = BytesIO()
    canvas = Canvas(drawn_on, pagesize=(842, 595), invariant=1, pageCompression=1)
    for text, place in zip(texts, _PLACES.values(), strict=True):
        canvas.setFont(font.fontName, place["size"])
        canvas.drawString(place["x"], place["y"], text)
    canvas.showPage()
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(BytesIO(design.FILE.read_bytes())))
    writer.pages[0].merge_page(PdfReader(BytesIO(drawn_on.getvalue())).pages[0])
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _same(one: bytes, other: bytes) -> None:
    texts = [PdfReader(BytesIO(each)).pages[0].extract_text().split() for each in (one, other)]
    if texts[0] != texts[1] or not texts[0]:
        raise AssertionError(f"not the same page: {texts}")


def _each(seconds: Iterable[float], number: int) -> tuple[float, ...]:
    return tuple(each / number * 1e3 for each in seconds)


def _nothing() -> None:
    pass
