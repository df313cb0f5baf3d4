"""A generator of somebody else's, and layouts for the tests."""

from collections.abc import Callable, Mapping
from typing import Any

from certificates.generators.base import Assets, Content
from certificates.models import CertificateLayout
from credentials.models import BadgeTemplate


class OwnGenerator:
    """Writes one line. `faults` are raised by the next calls, one by one; `meanwhile` is what
    happens during the next one.
    """

    options_schema: Mapping[str, Any] = {"type": "object", "properties": {}}

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.meanwhile: Callable[[], None] | None = None

    def __call__(self, content: Content, _options: Mapping[str, Any], *, assets: Assets) -> bytes:  # noqa: ARG002 -- see Generator
        if self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        if self.faults:
            raise self.faults.pop(0)
        return f"%PDF-1.4 of {content.name}".encode()


class PickyGenerator(OwnGenerator):
    """One that cannot do without an option."""

    options_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"stamp": {"type": "string"}},
        "required": ["stamp"],
    }


own, picky = OwnGenerator(), PickyGenerator()


def lay_out(*, generator: str = "standard", options: Mapping[str, Any]) -> CertificateLayout:
    """A layout in use, for the one template there is."""
    template = BadgeTemplate.objects.get()
    return CertificateLayout.objects.create(
        template=template, generator=generator, options=dict(options), in_use=True
    )
