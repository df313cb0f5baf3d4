"""A picture of `./dev bench`: events per second against the number of templates.

Reads the JSON lines of a run from standard input, writes SVG to standard output:
`./dev bench > figures.jsonl; .venv/bin/python -m tests.benchmarks.picture < figures.jsonl`.
"""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_TEMPLATES: Final = {
    "templates_10": 10,
    "templates_100": 100,
    "nothing_matches_known": 1_000,
    "templates_10000": 10_000,
}
_LINES: Final = (("sqlite", "SQLite", "#1d4ed8"), ("postgres", "PostgreSQL", "#b45309"))
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 400, 70, 150, 50, 60

Figures = Mapping[tuple[str, str], float]


def main() -> None:
    rows = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    figures = {(row["database"], row["case"]): row["median"] for row in rows}
    sys.stdout.write(draw(figures))


def draw(figures: Figures) -> str:
    """`figures`: events per second by database and case."""
    top = _round_up(max(figures[key] for key in figures if _is_shown(key[1])))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' role="img" font-family="sans-serif" font-size="13" aria-labelledby="title">',
        '<title id="title">Events per second against the number of active templates</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 26, "Events per second, nothing matches, learners known", weight="bold"),
        *_grid(top),
    ]
    for database, name, colour in _LINES:
        ours = [(n, figures[database, case]) for case, n in _TEMPLATES.items()]
        parts += _line(ours, top, colour=colour, label=f"Laurel, {name}")
        stock = [(n, figures[database, "stock"]) for n in (10, 10_000)]
        parts += _line(stock, top, colour=colour, label="", dashed=True)
    parts.append(
        _text(_LEFT + 20, _HEIGHT - _BOTTOM - 8, "dashed: the stock loop", colour="#6b7280")
    )
    return "\n".join([*parts, "</svg>", ""])


def _is_shown(case: str) -> bool:
    return case in _TEMPLATES or case == "stock"


def _round_up(value: float) -> float:
    unit: float = 10 ** math.floor(math.log10(value))
    return math.ceil(value / unit) * unit


def _grid(top: float) -> Iterable[str]:
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="#e5e7eb"/>'
        )
        yield _text(_LEFT - 8, y + 4, f"{value:,.0f}", anchor="end")
    for count in _TEMPLATES.values():
        yield _text(_x(count), _HEIGHT - _BOTTOM + 22, f"{count:,}", anchor="middle")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield _text(middle, _HEIGHT - 14, "active templates", anchor="middle")


def _line(
    points: Sequence[tuple[int, float]],
    top: float,
    *,
    colour: str,
    label: str,
    dashed: bool = False,
) -> Iterable[str]:
    places = [(_x(count), _y(rate, top)) for count, rate in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashes = ' stroke-dasharray="6 5"' if dashed else ""
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashes}/>'
    if not dashed:
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places)
    x, y = places[-1]
    yield _text(x + 12, y + 4, label, colour=colour)


def _x(templates: int) -> float:
    share = (math.log10(templates) - 1) / 3
    return _LEFT + 20 + share * (_WIDTH - _LEFT - _RIGHT - 40)


def _y(rate: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - rate / top * (_HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, **look: Any) -> str:
    names = {"anchor": "text-anchor", "weight": "font-weight", "colour": "fill"}
    more = "".join(f' {names[key]}="{value}"' for key, value in look.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{text}</text>'


if __name__ == "__main__":
    main()
