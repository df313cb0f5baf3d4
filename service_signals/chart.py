"""The map of the signals: who tells what to whom, as text and as a picture's source."""

from collections.abc import Iterable, Iterator
from typing import Final

from service_signals.signal import ServiceSignal

_NOBODY: Final = "(no handler)"


def as_text(signals: Iterable[ServiceSignal]) -> str:
    return "\n".join(line for each in signals for line in _lines(each)) + "\n"


def _lines(signal: ServiceSignal) -> Iterator[str]:
    yield f"{signal.path}({', '.join(_arguments(signal))})"
    for path in sorted(each.path for each in signal.handlers) or [_NOBODY]:
        yield f"    -> {path}"


def _arguments(signal: ServiceSignal) -> Iterator[str]:
    for name, kind in signal.arguments.types.items():
        yield f"{name}: {kind.__name__}{' | None' * (name in signal.arguments.optional)}"


def as_dot(signals: Iterable[ServiceSignal]) -> str:
    """For Graphviz: a box per app, its signals in it, and an arrow to each app that listens."""
    apps: dict[str, list[str]] = {}
    arrows: set[tuple[str, str, str]] = set()
    for each in signals:
        apps.setdefault(_app(each.path), []).append(each.path)
        for handler in each.handlers:
            apps.setdefault(_app(handler.path), [])
            arrows.add((each.path, _app(handler.path), handler.path.partition(".")[2]))
    lines = ["digraph service_signals {", "  rankdir=LR;", "  node [shape=box];"]
    for app, paths in sorted(apps.items()):
        lines.append(f'  "{app}" [style=rounded];')
        for path in sorted(paths):
            name = path.rpartition(".")[2]
            lines.append(f'  "{path}" [label="{name}", shape=ellipse];')
            lines.append(f'  "{app}" -> "{path}" [arrowhead=none];')
    lines += [f'  "{a}" -> "{b}" [label="{label}"];' for a, b, label in sorted(arrows)]
    return "\n".join([*lines, "}"]) + "\n"


def _app(path: str) -> str:
    return path.partition(".")[0]
