"""The interface between a certificate and who draws it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import attrs


@attrs.frozen
class Content:
    """What is to be printed. `awarded_on`: the day, in the time zone of the certificate.
    `verify_url` leads to the page that anybody can check it on, `verify_uuid` is the part of that
    address that tells it from others. `language`: a code such as `en`, in which
    its date is written.
    """

    name: str
    context_name: str
    issuer: str
    awarded_on: date
    verify_uuid: UUID
    verify_url: str
    language: str


class Assets(Protocol):
    """The files that were uploaded to draw with."""

    def read(self, slug: str, *, kind: str) -> bytes:
        """`kind`: pdf, image or font. Raises UnknownAssetError."""


class UnknownAssetError(LookupError):
    """No asset of this kind has this slug; the message says so."""


class Generator(Protocol):
    """`options_schema`: JSON schema (2020-12) of its options. A generator that has to say more
    about them than a schema can also has `options_faults(options, *, assets)`, which returns
    messages by dotted path.
    """

    options_schema: Mapping[str, Any]

    def __call__(self, content: Content, options: Mapping[str, Any], *, assets: Assets) -> bytes:
        """A PDF. `options` fit the schema and have its defaults. Raises Undrawable; whatever else
        it raises is shown in admin, and tried again.
        """


class Undrawable(ValueError):  # noqa: N818 -- named for what the caller does about it
    """No later try can draw this; the message says what a person has to change."""
