"""Functions that other packages can add: by a setting, or by an entry point of a package.

    ELIGIBILITY_RETRIEVERS = {"attendance": "academy.attendance.retriever"}

    [project.entry-points."laurel.retrievers"]
    attendance = "academy.attendance:retriever"

The setting wins, so that an operator has the last word. Every function carries the JSON schema of
its options as `options_schema`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import attrs
from django.conf import settings
from django.utils.module_loading import import_string

from certificates import options

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@attrs.frozen
class Kind:
    """`setting` and `group`: where functions of this kind are named. `faults`: what is wrong with
    a function beyond its schema, one sentence each.
    """

    setting: str
    group: str
    faults: Callable[[Any], Sequence[str]] = lambda _function: ()


class UnknownPluginError(LookupError):
    """Nothing usable has this slug; the message says why, or which slugs there are."""


def slugs(kind: Kind) -> Sequence[str]:
    """Of everything that is usable, sorted."""
    return sorted(slug for slug, each in _all(kind).items() if not each.faults)


def find(kind: Kind, *, slug: str) -> Any:
    """The function. Raises UnknownPluginError."""
    candidate = _all(kind).get(slug)
    if candidate is None:
        raise UnknownPluginError(f"{slug!r} is not known, known: {', '.join(slugs(kind))}")
    if candidate.faults:
        raise UnknownPluginError(f"{slug!r} cannot be used: {candidate.faults[0]}")
    return candidate.function


def faults(kind: Kind) -> Iterator[str]:
    """Everything that is wrong with the setting and the entry points, one sentence each."""
    configured = getattr(settings, kind.setting, {})
    if not isinstance(configured, Mapping):
        yield f"{kind.setting} is not an object of slugs and dotted paths."
        return
    for candidate in _all(kind).values():
        for fault in candidate.faults:
            yield f"{candidate.source}: {fault}."


@attrs.frozen
class _Candidate:
    source: str
    function: Any = None
    faults: tuple[str, ...] = ()


def _all(kind: Kind) -> Mapping[str, _Candidate]:
    configured = getattr(settings, kind.setting, {})
    if not isinstance(configured, Mapping):
        return {}
    return _loaded(kind, tuple(configured.items()))


@cache
def _loaded(kind: Kind, configured: tuple[tuple[str, str], ...]) -> Mapping[str, _Candidate]:
    found: dict[str, _Candidate] = {}
    for point in entry_points(group=kind.group):
        source = _source(point, group=kind.group)
        if point.name in found:
            fault = f"{found[point.name].source} has the same name"
            found[point.name] = _Candidate(source=source, faults=(fault,))
        else:
            found[point.name] = _judged(kind, slug=point.name, load=point.load, source=source)
    for slug, path in configured:
        source = f"{kind.setting}[{slug!r}] = {path!r}"
        found[slug] = _judged(kind, slug=slug, load=partial(import_string, path), source=source)
    return found


def _source(point: EntryPoint, *, group: str) -> str:
    package = point.dist.name if point.dist else "a package"
    return f"entry point {point.name} = {point.value!r} of {group} in {package}"


def _judged(kind: Kind, *, slug: str, load: Callable[[], Any], source: str) -> _Candidate:
    if not _SLUG.fullmatch(slug):
        fault = "a slug has small letters, digits, _ and -, at most 64 of them"
        return _Candidate(source=source, faults=(fault,))
    try:
        function = load()
    except Exception as error:  # noqa: BLE001 -- code of others: whatever it raises is reported
        return _Candidate(source=source, faults=(f"it cannot be imported: {error!r}",))
    if not callable(function):
        return _Candidate(source=source, faults=("it is not a function",))
    wrong: list[str] = []
    why = options.schema_fault(getattr(function, "options_schema", None))
    if why:
        wrong.append(f"its options_schema is no JSON schema of options: {why}")
    wrong += kind.faults(function)
    return _Candidate(source=source, function=function, faults=tuple(wrong))
