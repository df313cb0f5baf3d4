"""Calls in threads: a bounded number of them, counted by account."""

from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, Self, TypeVar

A = TypeVar("A", bound=Hashable)
R = TypeVar("R")


class Crew(Generic[A, R]):
    """A context manager: leaving it waits for what is under way. For one thread to use."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="issuing")
        self._under_way: dict[Future[R], A] = {}
        self.calls: Counter[A] = Counter()
        """How many are under way, by account."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def room(self) -> int:
        return max(self._size - len(self._under_way), 0)

    def start(self, account: A, call: Callable[[], R]) -> None:
        self._under_way[self._pool.submit(call)] = account
        self.calls[account] += 1

    def collect(self, *, patience: float | None) -> list[R]:
        """What has ended, waiting up to `patience` seconds for the first, or as long as it takes
        (None); none may have.
        """
        ended, _ = wait(self._under_way, timeout=patience, return_when=FIRST_COMPLETED)
        for each in ended:
            self.calls[self._under_way.pop(each)] -= 1
        return [each.result() for each in ended]

    @property
    def busy(self) -> bool:
        return bool(self._under_way)
