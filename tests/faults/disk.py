"""A disk on which files take a moment, so that somebody can be killed in the middle of one."""

import time
from collections.abc import Iterator
from typing import Any, Final

from django.core.files.storage import FileSystemStorage

_PARTS: Final = 4
_PAUSE: Final = 0.003  # seconds


class SlowDisk(FileSystemStorage):
    def _save(self, name: str, content: Any) -> str:
        data = content.read()
        content.chunks = lambda: _slowly(data)
        return str(super()._save(name, content))  # type: ignore[misc]  # the stubs leave it out


def _slowly(data: bytes) -> Iterator[bytes]:
    step = len(data) // _PARTS + 1
    for begin in range(0, len(data), step):
        yield data[begin : begin + step]
        time.sleep(_PAUSE)
