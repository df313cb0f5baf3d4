"""How a layout looks, before anybody is issued a certificate with it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from certificates import issuing
from certificates.assets import StoredAssets
from certificates.generators.registry import STANDARD, complete, faults
from certificates.models import CertificateLayout

# None of them is anybody.
SAMPLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "short name": "Ann Lee",
        "name with accents": "Łukasz Ñandú",
        "long name": "María de los Ángeles Fernández-Villaverde y Rodríguez de la Borbolla",
        "Chinese name": "李雷",
    }
)
_NOBODY: Final = UUID("00000000-0000-4000-8000-000000000000")


class PreviewError(ValueError):
    """It cannot be drawn; the message says why."""


def preview(layout: CertificateLayout, *, name: str, now: datetime, grid: bool = False) -> bytes:
    """A PDF with made-up values. `grid`: with lines to read positions off, by the standard
    generator. Raises PreviewError.
    """
    assets = StoredAssets()
    wrong = faults(layout.generator, layout.options, assets=assets)
    if wrong:
        raise PreviewError(" ".join(f"{path}: {text}." for path, text in wrong.items()))
    options = complete(layout.generator, layout.options)
    content = issuing.content(
        layout.template, name=name, awarded_at=now, verify_uuid=_NOBODY, options=options
    )
    try:
        if grid and layout.generator == STANDARD:
            from certificates.generators import printing  # takes its time, see there

            return printing.generate(content, options, assets=assets, grid=True)
        return issuing.draw(content, plan=issuing.Plan(layout.generator, options))
    except Exception as error:  # generators are code of others
        raise PreviewError(str(error)) from error
