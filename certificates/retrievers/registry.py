"""Which retrievers there are."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from certificates import plugins
from certificates.retrievers.base import CONTEXTS, Retriever


def _faults(function: Any) -> Iterator[str]:
    contexts = getattr(function, "contexts", None)
    if not isinstance(contexts, set | frozenset) or not contexts or not contexts <= set(CONTEXTS):
        yield f"its contexts are no set of {', '.join(CONTEXTS)}"


RETRIEVERS: Final = plugins.Kind(
    setting="ELIGIBILITY_RETRIEVERS",
    group="laurel.retrievers",
    faults=lambda function: tuple(_faults(function)),
)


def retrievers() -> Sequence[str]:
    """The slugs of those that can be used, sorted."""
    return plugins.slugs(RETRIEVERS)


def retriever(slug: str) -> Retriever:
    """Raises certificates.plugins.UnknownPluginError."""
    found: Retriever = plugins.find(RETRIEVERS, slug=slug)
    return found
