"""Repeated measurements, interleaved, and the JSON line that tells of them."""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import attrs


@attrs.frozen
class Contender:
    """Something that is timed: only `run` is. `check` raises when the run did not do its work."""

    name: str
    prepare: Callable[[], object]
    run: Callable[[], object]
    check: Callable[[], object] = lambda: None


@attrs.frozen
class Figure:
    """One JSON line. `values` of one case and those of another run along: the n-th values were
    measured one after the other.
    """

    case: str
    database: str
    values: tuple[float, ...]
    unit: str

    def to_line(self, *, against: Sequence["Figure"] = ()) -> str:
        """`ratio_to` holds this case's value divided by the other's: the median of the
        quotients of each repetition.
        """
        ratios = {
            other.case: _rounded(
                median(mine / its for mine, its in zip(self.values, other.values, strict=True))
            )
            for other in against
        }
        return json.dumps(
            {
                "case": self.case,
                "database": self.database,
                "median": _rounded(median(self.values)),
                "min": _rounded(min(self.values)),
                "max": _rounded(max(self.values)),
                "unit": self.unit,
                "ratio_to": ratios or None,
            }
        )


def _rounded(value: float) -> float:
    """Three digits at least, without noise behind the point."""
    return round(value) if abs(value) >= 1000 else float(f"{value:.3g}")


def seconds_of(contenders: Sequence[Contender], *, repeat: int) -> Mapping[str, tuple[float, ...]]:
    """Each contender once per repetition; every second repetition backwards, so that nobody
    always runs behind the same neighbour.
    """
    found: dict[str, list[float]] = {each.name: [] for each in contenders}
    for repetition in range(repeat):
        for each in contenders if repetition % 2 == 0 else reversed(contenders):
            each.prepare()
            gc.collect()  # the garbage of the others is not this one's time
            started = time.perf_counter()
            each.run()
            found[each.name].append(time.perf_counter() - started)
            each.check()
    return {name: tuple(values) for name, values in found.items()}
