"""How the standard generator draws, and what it cannot draw.

Imported when the first certificate is drawn: reportlab and pypdf take a third of a second, which
a start of the consumer or of a command would wait for in vain.
"""

import zoneinfo
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import formats, translation
from reportlab.pdfbase.ttfonts import TTFont

from certificates.generators.base import Assets, Content, Undrawable, UnknownAssetError
from certificates.pdf import design, drawing, layout, pages, typefaces


def generate(
    content: Content, options: Mapping[str, Any], *, assets: Assets, grid: bool = False
) -> bytes:
    """`grid`: for whoever makes a layout. Raises Undrawable."""
    plan = layout.read(options)
    values = {
        "name": content.name,
        "context_name": content.context_name,
        "issuer": content.issuer,
        "issue_date": issue_date(content),
        "verify_uuid": str(content.verify_uuid),
        "verify_url": content.verify_url,
    }
    try:
        template = pages.Template(_template(plan.template, assets=assets), plan.page).open()
        overlay = drawing.overlay(
            plan,
            values=values,
            page_size=pages.size_of(template, page=plan.page),
            font_of=partial(_font, assets=assets),
            image_of=partial(assets.read, kind="image"),
            grid=grid,
        )
    except (typefaces.UndrawableError, pages.TemplateError) as error:
        raise Undrawable(str(error)) from error
    return pages.merged(
        template,
        page=plan.page,
        overlay=overlay,
        description=pages.Description(
            title=layout.filled(plan.title, values=values),
            author=content.issuer,
            language=content.language,
        ),
        protected=plan.protected,
    )


def issue_date(content: Content) -> str:
    """As people of that language write a day."""
    with translation.override(content.language):
        return str(formats.date_format(content.awarded_on, "DATE_FORMAT"))


def faults(options: Mapping[str, Any], *, assets: Assets) -> Iterator[tuple[str, str]]:
    """What the schema of the options cannot say, by path."""
    yield from layout.faults(options)
    yield from _template_faults(options, assets=assets)
    for path, slug in layout.fonts(options):
        try:
            _font(slug, assets=assets)
        except UnknownAssetError:
            known = ", ".join(typefaces.PACKAGED)
            yield path, f"no font is called {slug}; there are {known} and those you upload"
    for number, picture in enumerate(options.get("images", ())):
        try:
            assets.read(picture["image"], kind="image")
        except UnknownAssetError as error:
            yield f"images.{number}.image", str(error)
    language = options.get("language", settings.LANGUAGE_CODE)
    if language not in dict(settings.LANGUAGES):
        yield "language", f"{language} is not known"
    zone = options.get("time_zone")
    if zone is not None and zone not in zoneinfo.available_timezones():
        yield "time_zone", f"{zone} is no time zone, a name is wanted such as Europe/Madrid"


def _template_faults(options: Mapping[str, Any], *, assets: Assets) -> Iterator[tuple[str, str]]:
    try:
        pages.Template(_template(options["template"], assets=assets), options["page"]).open()
    except UnknownAssetError as error:
        yield "template", f"{error}; {layout.PACKAGED_TEMPLATE} is the design of Laurel"
    except pages.TemplateError as error:
        yield "page", str(error)


def _template(slug: str, *, assets: Assets) -> bytes:
    if slug == layout.PACKAGED_TEMPLATE:
        return design.FILE.read_bytes()
    return assets.read(slug, kind="pdf")


def _font(slug: str, *, assets: Assets) -> TTFont:
    if slug in typefaces.PACKAGED:
        return typefaces.packaged(slug)
    return typefaces.of_bytes(assets.read(slug, kind="font"))
