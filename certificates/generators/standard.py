"""The generator that Laurel brings along: text, pictures and a QR code over a template.

Who only asks for its options does not wait for what it draws with: `printing` is imported late.
"""

from collections.abc import Mapping
from typing import Any

from certificates.generators.base import Assets, Content
from certificates.options import merged, with_defaults
from certificates.pdf import design, layout


def default_options() -> Mapping[str, Any]:
    """Those of the packaged design."""
    return with_defaults(layout.SCHEMA, merged(design.OPTIONS))


class StandardGenerator:
    """See Generator."""

    options_schema = layout.SCHEMA

    def __call__(self, content: Content, options: Mapping[str, Any], *, assets: Assets) -> bytes:
        from certificates.generators import printing

        return printing.generate(content, options, assets=assets)

    def options_faults(self, options: Mapping[str, Any], *, assets: Assets) -> Mapping[str, str]:
        """What the schema cannot say, by path."""
        from certificates.generators import printing

        return dict(printing.faults(options, assets=assets))
