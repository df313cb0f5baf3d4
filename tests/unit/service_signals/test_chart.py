"""The map of the signals."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from service_signals import ServiceSignal
from service_signals.chart import as_dot, as_text
from service_signals.delivery import Handler


def nothing(sender: str, **_kwargs: Any) -> None: ...


paid = ServiceSignal("paid", provides={"amount": int, "at": datetime | None})
lost = ServiceSignal("lost", provides={})


@pytest.fixture(autouse=True)
def _wired() -> Iterator[None]:
    paid.wire([Handler("shop.handlers.pack", nothing), Handler("books.handlers.enter", nothing)])
    yield
    paid.wire(())


def test_as_text() -> None:
    assert as_text([paid, lost]) == (
        f"{__name__}.paid(amount: int, at: datetime | None)\n"
        "    -> books.handlers.enter\n"
        "    -> shop.handlers.pack\n"
        f"{__name__}.lost()\n"
        "    -> (no handler)\n"
    )


def test_as_dot() -> None:
    lines = as_dot([paid]).splitlines()
    assert f'  "{__name__}.paid" -> "books" [label="handlers.enter"];' in lines
    assert f'  "{__name__}.paid" -> "shop" [label="handlers.pack"];' in lines
    assert '  "shop" [style=rounded];' in lines
    assert lines[-1] == "}"
