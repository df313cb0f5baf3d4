"""Which generators there are, and what is wrong with the options of one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from certificates import options, plugins
from certificates.generators.base import Assets, Generator
from certificates.generators.standard import StandardGenerator

STANDARD: Final = "standard"
_STANDARD: Final = StandardGenerator()
GENERATORS: Final = plugins.Kind(setting="PDF_GENERATORS", group="laurel.generators")


def generators() -> Sequence[str]:
    """The slugs of those that can be used."""
    return (STANDARD, *(slug for slug in plugins.slugs(GENERATORS) if slug != STANDARD))


def generator(slug: str) -> Generator:
    """Raises certificates.plugins.UnknownPluginError."""
    if slug == STANDARD:
        return _STANDARD
    found: Generator = plugins.find(GENERATORS, slug=slug)
    return found


def complete(slug: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`given` with the defaults of the generator's schema."""
    return options.with_defaults(generator(slug).options_schema, given)


def faults(slug: str, given: Any, *, assets: Assets) -> Mapping[str, str]:
    """One message per field, by dotted path. Raises UnknownPluginError."""
    function = generator(slug)
    found = options.faults(function.options_schema, given)
    more = getattr(function, "options_faults", None)
    if found or more is None:
        return found
    deeper: Mapping[str, str] = more(complete(slug, given), assets=assets)
    return deeper
