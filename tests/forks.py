"""`manage.py`, each command a process of its own that may be killed, without the start of Python:
Django is set up once, then every command is a fork.

The process reads {"arguments": [...], "output": file, "env": {...}} from stdin, one per line; it
answers with the pid and, when that process has ended, with its status as os.waitstatus_to_exitcode
tells it.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from tests.dialog import Dialog, dialog

_PATIENCE: Final = 60.0  # seconds


@attrs.frozen
class Forks:
    folder: Path
    dialog: Dialog

    def run(self, *arguments: str) -> str:
        """What the command prints."""
        status = self.live(*arguments)
        assert status == 0, (self.folder / "forks.log").read_text()[-3000:]
        return self._output.read_text()

    def kill(self, *arguments: str, when: Callable[[], bool]) -> None:
        """Start the command, and end it with `kill -9` at that moment."""

        def end(pid: int) -> None:
            deadline = time.monotonic() + _PATIENCE
            while not when():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            os.kill(pid, signal.SIGKILL)

        assert self.live(*arguments, born=end) == -signal.SIGKILL

    def live(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        born: Callable[[int], object] = int,
    ) -> int:
        """The exit status of the command, which has `env` beside that of all. `born` is told its
        pid.
        """
        request = {"arguments": ["manage.py", *arguments], "output": str(self._output)}
        born(int(self.dialog.ask(json.dumps({**request, "env": dict(env or {})}))))
        return int(self.dialog.hear())

    @property
    def _output(self) -> Path:
        return self.folder / "output"


@contextmanager
def forks(folder: Path, *, env: Mapping[str, str]) -> Iterator[Forks]:
    """Their errors and logs are in the folder."""
    settings = {"DJANGO_SETTINGS_MODULE": "settings"}
    with dialog("tests.forks", log=folder / "forks.log", env={**settings, **env}) as talk:
        yield Forks(folder, talk)


def main() -> None:
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("check", stdout=sys.stderr)  # so that what it imports is here, too
    connections.close_all()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(request)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(request: Mapping[str, Any]) -> None:
    from django.core.management import execute_from_command_line

    os.environ.update(request["env"])  # read by the command; the settings are made
    with Path(request["output"]).open("wb") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
    execute_from_command_line(request["arguments"])  # some leave by sys.exit
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
