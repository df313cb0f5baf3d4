"""The state file: written whole, atomically, at most once a second and when the sandbox stops."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from credly_client.sandbox.messages import Document
from credly_client.sandbox.world import World

INTERVAL = 1.0
SHARE_OF_TIME = 0.1
"""A large state is written less often, so that saving takes at most this share of the time."""


class UnreadableStateError(Exception):
    """The state file is not one that this sandbox wrote. Move it away and start again."""


def load(path: Path, *, world: World) -> None:
    """Fills the world; a missing file leaves it empty."""
    if not path.exists():
        return
    try:
        world.load(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableStateError(f"{path}: {error!r}") from error


def write(path: Path, *, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    # It holds tokens and addresses: readable by its owner only.
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123  (a descriptor, not a path)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class Saver:
    """`snapshot`: the version and the text of the state, or None when the version is known."""

    def __init__(
        self, path: Path, *, snapshot: Callable[[int], tuple[int, str] | None], version: int
    ) -> None:
        self._path = path
        self._snapshot = snapshot
        self._saved = version
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sandbox-saver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._save()

    def _run(self) -> None:
        wait = INTERVAL
        while not self._stopping.wait(wait):
            started = time.monotonic()
            self._save()
            wait = max(INTERVAL, (time.monotonic() - started) / SHARE_OF_TIME)

    def _save(self) -> None:
        taken = self._snapshot(self._saved)
        if taken is not None:
            version, text = taken
            write(self._path, text=text)
            self._saved = version


def to_text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False)
