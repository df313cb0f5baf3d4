"""Lists, page by page.

Note [Paging]
    Pages are asked for by number with our own filter. Credly's `next_page_url` may drop the
    filter and may name another host; it is never followed. The filter is applied here once
    more, and an item that moves between two pages is yielded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar
from uuid import UUID

from credly_client.errors import MalformedAnswer
from credly_client.types import Page

MAX_PAGES = 2000


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=HasId)


def all_items(
    fetch: Callable[[int], Page[T]], *, admits: Callable[[T], bool] = lambda _: True
) -> Iterator[T]:
    """Every item of every page that is admitted, each once. See Note [Paging].

    `fetch`: the number of a page, from 1 -> the page. Raises its errors, and MalformedAnswer for
    a list that leads nowhere.
    """
    seen: set[UUID] = set()
    for number in range(1, MAX_PAGES + 1):
        page = fetch(number)
        if page.current_page not in (None, number):
            raise MalformedAnswer(f"asked for page {number}, got page {page.current_page}")
        for item in page.items:
            if item.id not in seen and admits(item):
                seen.add(item.id)
                yield item
        if number >= page.total_pages or not page.items:
            return
    raise MalformedAnswer(f"a list of more than {MAX_PAGES} pages")
