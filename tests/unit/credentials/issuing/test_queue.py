from collections import deque

from credentials.issuing.queue import Line


def line(fresh: list[int], others: list[int]) -> Line:
    """Keys that say their place."""
    return Line(deque((key, key) for key in fresh), deque((key, key) for key in others))


def test_five_or_more_go_as_a_batch_and_what_does_not_fit_stays() -> None:
    waiting = line([1, 2, 3, 4, 5, 6, 7], [])
    assert waiting.take(calls=1, batch=5) == [1, 2, 3, 4, 5]
    assert waiting.take(calls=1, batch=5) == [6]
    assert waiting.take(calls=5, batch=5) == [7]
    assert not waiting


def test_the_oldest_comes_first_whatever_it_is() -> None:
    waiting = line([2, 3, 4, 5, 6], [1, 7])
    assert waiting.take(calls=2, batch=50) == [1, 2, 3, 4, 5, 6]
    assert waiting.take(calls=1, batch=50) == [7]


def test_without_batches_each_is_a_call() -> None:
    waiting = line([1, 2, 3, 4, 5, 6], [])
    assert waiting.take(calls=2, batch=1) == [1, 2]
    assert waiting.take(calls=0, batch=1) == []


def test_it_can_be_begun_anywhere() -> None:
    waiting = line([1, 2, 3, 4], [5, 6])
    waiting.begin_anywhere(0.5)
    assert waiting.take(calls=6, batch=1) == [3, 4, 1, 2, 6, 5]
    assert len(waiting) == 0
