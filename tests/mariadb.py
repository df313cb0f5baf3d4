"""A real MariaDB for the tests, beside the servers of tests/servers.py:

    with mariadb_server() as server:
        environment = {"DATABASE_URL": server.url}

It is no part of the locked requirements: `./dev test --mariadb` installs Debian's packages.
"""

from __future__ import annotations

import pwd
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes import HOST
from tests.programs import mariadb_programs
from tests.servers import Server, database_directory, running

# As docs/badges/settings.md tells the operator to make it.
_SQL = """
CREATE DATABASE IF NOT EXISTS laurel CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE USER IF NOT EXISTS laurel@'{host}' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO laurel@'{host}' WITH GRANT OPTION;
"""


class MariaDBServer(Server):
    def __init__(
        self,
        data_dir: Path,
        *,
        programs: tuple[Path, Path],
        durable: bool,
        account: pwd.struct_passwd | None,
    ) -> None:
        super().__init__(data_dir, account=account)
        self.install_program, self.server_program = programs
        self.durable = durable
        self.tables = self.data_dir / "tables"
        self._password_file = self.data_dir / "password"
        self._sql_file = self.data_dir / "start.sql"
        self._pid_file = self.data_dir / "server.pid"

    @property
    def url(self) -> str:
        return f"mysql://laurel:{self._password_file.read_text()}@{HOST}:{self.port}/laurel"

    def command(self) -> list[str | Path]:
        settings = {
            "datadir": str(self.tables),
            "bind-address": HOST,
            "port": str(self.port),
            "socket": "",
            "skip-name-resolve": "ON",
            "pid-file": str(self._pid_file),
            "init-file": str(self._sql_file),
            "innodb-buffer-pool-size": "64M",
            "innodb-log-file-size": "32M",
        }
        if not self.durable:
            # 2, not 0: every commit reaches the system, and so survives `kill`.
            settings |= {
                "innodb-flush-log-at-trx-commit": "2",
                "innodb-flush-method": "nosync",
                "innodb-doublewrite": "OFF",
            }
        options = (f"--{name}={value}" for name, value in settings.items())
        return [self.server_program, "--no-defaults", *options]

    def is_ready(self) -> bool:
        """Whether this very server greets connections; it does once it has run its SQL file."""
        with suppress(OSError):
            if self._pid_file.read_text().strip() != str(self.pid):
                return False
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                return bool(connection.recv(1))
        return False

    def create(self) -> None:
        """Makes the data directory unless there is one; half-made ones are made again."""
        if self.tables.exists():
            return
        unfinished = self.data_dir / "tables.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = secrets.token_hex(16)
        self._password_file.write_text(password)
        self._sql_file.write_text(_SQL.format(host=HOST, password=password))
        for path in (self._password_file, self._sql_file):
            path.chmod(0o600)
            if self.account:
                shutil.chown(path, self.account.pw_uid, self.account.pw_gid)
        # Its `root` signs in over a socket, and there is none: `laurel` is the only user.
        options = ["--no-defaults", f"--datadir={unfinished}", "--skip-test-db"]
        install = self._run([self.install_program, *options])
        if install.wait() != 0:
            raise install.error("failed")
        unfinished.rename(self.tables)


@contextmanager
def mariadb_server(
    data_dir: Path | None = None, *, durable: bool = False
) -> Iterator[MariaDBServer]:
    """A started MariaDB with an empty database `laurel` of the user `laurel`, who may do anything.

    `durable=False` trades safety against a crash of the machine for speed. Where it keeps its
    data, and as whom it runs: see `tests.servers.database_directory`.
    """
    programs = mariadb_programs()
    with database_directory(data_dir, prefix="mariadb-") as (directory, account):
        server = MariaDBServer(directory, programs=programs, durable=durable, account=account)
        server.create()
        yield from running(server)
