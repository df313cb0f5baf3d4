"""How long the steps of a batch take, for the metrics: two readings of the clock per step and
batch, and nothing else.
"""

from collections import defaultdict
from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Self

import attrs


@attrs.define
class Step:
    """What one step took so far, in this process."""

    batches: int = 0
    seconds: float = 0.0


_steps: defaultdict[str, Step] = defaultdict(Step)


class timed:  # noqa: N801 -- reads as a word of its `with` statement
    """Adds what its block took to the step of that name. A block that fails is not counted."""

    __slots__ = ("_name", "_start")

    def __init__(self, name: str) -> None:
        self._name = name
        self._start = 0.0

    def __enter__(self) -> Self:
        self._start = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            step = _steps[self._name]
            step.batches += 1
            step.seconds += perf_counter() - self._start

    def restart(self) -> None:
        """Count from here: as the last line of a transaction, what is left is its commit."""
        self._start = perf_counter()


def steps() -> Mapping[str, Step]:
    """What each step took in this process so far, in the order of their first run."""
    return {name: attrs.evolve(step) for name, step in list(_steps.items())}
