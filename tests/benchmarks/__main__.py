"""`./dev bench`: starts the servers, then measures each database in a process of its own.

Prints one JSON line per case; see docs/benchmarks.md for what they mean.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.cases import CASES, THROUGHPUT
from tests.servers import PYTHON, VAR, Process, postgres_server, redis_server

DATABASES = ("sqlite", "postgres")


def main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    databases = DATABASES if options.database == "both" else (options.database,)
    # A case that fails is no reason to skip the other database.
    return max([_measure(database, options) for database in databases])


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--case", choices=CASES, help="only this case, with its yardsticks")
    parser.add_argument("--events", type=int, default=20_000, help="events per run (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs per case (%(default)s)")
    parser.add_argument(
        "--profile", action="store_true", help="instead of figures: where the time of --case goes"
    )
    options = parser.parse_args(arguments)
    if options.events < 1 or options.repeat < 1:
        parser.error("--events and --repeat must be at least 1")
    if options.profile and options.case not in THROUGHPUT:
        parser.error(f"--profile needs --case with one of: {', '.join(THROUGHPUT)}")
    return options


def _measure(database: str, options: argparse.Namespace) -> int:
    command = [PYTHON, "-m", "tests.benchmarks.run_one", "--database", database]
    command += ["--events", str(options.events), "--repeat", str(options.repeat)]
    command += ["--case", options.case] if options.case else []
    command += ["--profile"] if options.profile else []
    with redis_server() as redis, _database_url(database) as url:
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "DJANGO_SETTINGS_MODULE": "settings",
            "DEBUG": "false",
            "LOG_LEVEL": "WARNING",
            "EVENT_BUS_TOPIC_PREFIX": "",
        }
        with Process(command, env=environment) as process:
            for line in process.stdout or ():
                # Errors come on the same pipe; a figure is one JSON object.
                figure = line.startswith(b"{") or options.profile
                (sys.stdout if figure else sys.stderr).write(line.decode(errors="replace"))
                sys.stdout.flush()
            return process.wait()


@contextmanager
def _database_url(database: str) -> Iterator[str]:
    """A new database on disk; it honours every commit, as in production."""
    if database == "postgres":
        with postgres_server(durable=True) as server:
            yield server.url
        return
    VAR.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=VAR) as directory:
        yield f"sqlite:///{Path(directory) / 'laurel.sqlite3'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
