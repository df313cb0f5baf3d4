"""A process of ours that reads lines and answers each with a line, or with several."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs

from tests.processes import PYTHON, ROOT


@attrs.frozen
class Dialog:
    requests: IO[str]
    answers: IO[str]

    def ask(self, request: str) -> str:
        self.requests.write(f"{request}\n")
        self.requests.flush()
        return self.hear()

    def hear(self) -> str:
        """The next answer, once it is there."""
        return self.answers.readline().strip()


@contextmanager
def dialog(module: str, *, log: Path, env: Mapping[str, str]) -> Iterator[Dialog]:
    """With `python -m module`, which ends when nothing more is asked. `env`: beside our own."""
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            [PYTHON, "-m", module],
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        yield Dialog(process.stdin, process.stdout)
