"""Lists that stay quick and useful when they are long."""

from typing import Any, cast

from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

_MOST_COUNTED = 100_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts no further than anybody would turn pages; beyond that, search and filters help."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows[:_MOST_COUNTED].count()


class QuickList(ChangeList):
    """Without a search or filter all rows are shown: then there is nothing more to offer. (The
    number of all rows is not counted a second time, see `show_full_result_count`.)
    """

    full_result_count: int | None

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.full_result_count is None and not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class UrgentFirst(QuickList):
    """Rows that match the admin's `urgent` come first, the newest of them first, then the others.

    Two index-friendly slices instead of one ORDER BY CASE, which would sort the whole table for
    every page. A click on a column's head sorts by that column alone.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if ORDER_VAR in request.GET:
            return
        urgent: Q = self.model_admin.urgent
        size = self.list_max_show_all if self.show_all else self.list_per_page
        start = 0 if self.show_all else (self.page_num - 1) * size
        rows = list(self.queryset.filter(urgent)[start : start + size])
        if len(rows) < size:
            known = start + len(rows) if rows or not start else self.queryset.filter(urgent).count()
            before = max(start - known, 0)  # of the other rows, on former pages
            others = self.queryset.exclude(urgent)
            rows += others[before : before + size - len(rows)]
        self.result_list = rows
