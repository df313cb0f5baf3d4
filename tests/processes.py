"""Programs that tests, demo, benchmarks and `./dev up` start: ended in time, never left behind."""

from __future__ import annotations

import atexit
import os
import pwd
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0

T = TypeVar("T")


class ProgramError(RuntimeError):
    """A program is missing, ended early or was too slow; the message has the end of its output."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        probe.bind((HOST, port))
        return True
    return False


def free_port() -> int:
    """A port that nobody listens on.

    Below the range that the system gives to outgoing connections: a client that keeps trying
    a port of that range while its server is down can end up connected to itself.
    """
    for port in random.sample(range(15_000, 32_000), 1000):
        if is_free(port):
            return port
    raise ProgramError("no free port between 15000 and 32000")


# Note [Children die with their parent]
# A killed test run must not leave servers behind. Linux sends a child a signal when the thread that
# started it ends, if the child asked for it. It asks in this launcher, which then becomes the
# program (same pid); a `preexec_fn` would do the same but warns in a process that has threads.
# Children started outside the main thread do not ask: they may outlive the thread.
_LAUNCHER = """
import ctypes, os, signal, sys
death_signal, parent, uid, gid = map(int, sys.argv[1:5])
if gid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if death_signal:
    ctypes.CDLL(None).prctl(1, death_signal)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit(1)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execvp(sys.argv[5], sys.argv[5:])
"""

_living: set[Process] = set()


class Process:
    """A running program; as a context manager it is terminated at the end of the block.

    `env` is added to the environment of this process. Output and errors go to the file `log`;
    without one they are on `.stdout`, which the caller reads to its end and closes.
    """

    def __init__(
        self,
        args: Sequence[str | Path],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        account: pwd.struct_passwd | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.args = [str(arg) for arg in args]
        self.log = log
        self._owner = os.getpid()
        main = threading.current_thread() is threading.main_thread()
        launcher = [
            death_signal if main and sys.platform == "linux" else 0,
            self._owner,
            account.pw_uid if account else -1,
            account.pw_gid if account else -1,
        ]
        output: IO[bytes] | int = log.open("ab") if log else subprocess.PIPE
        try:
            # A process group of its own: Ctrl-C in the terminal reaches us alone, we stop the rest.
            self._popen = subprocess.Popen(
                [PYTHON, "-I", "-S", "-c", _LAUNCHER, *(str(int(n)) for n in launcher), *self.args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
                cwd=cwd,
                process_group=0,
            )
        finally:
            if not isinstance(output, int):
                output.close()
        _living.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.terminate()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; the negative number of the signal that ended it."""
        return self._popen.poll()

    @property
    def stdout(self) -> IO[bytes] | None:
        return self._popen.stdout

    def output(self) -> str:
        """What it has written to its log."""
        return self.log.read_text(errors="replace") if self.log else ""

    def wait(self, *, seconds: float = START_SECONDS) -> int:
        """Its exit status, once it has ended by itself.

        Raises ProgramError when it has not within `seconds`.
        """
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(seconds)
        raise self.error(f"did not end within {seconds:g} s")

    def wait_for(
        self, predicate: Callable[[], T], *, seconds: float = START_SECONDS, what: str = "its time"
    ) -> T:
        """The first true result of `predicate`, asked every 20 ms.

        Raises ProgramError when the program ends first or `seconds` have passed.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = self.returncode  # before the predicate, which the program may fulfil and end
            if value := predicate():
                return value
            if status is not None:
                raise self.error(f"ended with status {status} before {what}")
            if time.monotonic() > deadline:
                raise self.error(f"was not ready within {seconds:g} s, waiting for {what}")
            time.sleep(0.02)

    def send_signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def terminate(
        self, *, seconds: float = STOP_SECONDS, number: signal.Signals = signal.SIGTERM
    ) -> int:
        """Asks it to stop, kills it when it has not within `seconds`; its exit status."""
        self.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)
        return self.kill()

    def kill(self) -> int:
        """Ends it and its children at once; its exit status."""
        if self.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
        _living.discard(self)
        return self._popen.wait()

    def error(self, problem: str) -> ProgramError:
        tail = "\n".join(self.output().splitlines()[-20:])
        return ProgramError(
            f"{Path(self.args[0]).name} (pid {self.pid}) {problem}\n{tail}".rstrip()
        )

    def end_at_exit(self) -> None:
        if self._owner == os.getpid():  # not in a fork, whose parent still uses the program
            self.terminate()


@atexit.register
def _end_all() -> None:
    for process in list(_living):
        process.end_at_exit()
