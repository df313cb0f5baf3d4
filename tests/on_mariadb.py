"""Everything that goes through a database, on a MariaDB of its own: `./dev test --mariadb`.

Without a path among the arguments of pytest the stories of tests/functional/test_on_postgresql.py
run once more afterwards, with MariaDB used as if it were MySQL.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from tests.functional.test_on_postgresql import STORIES
from tests.mariadb import mariadb_server
from tests.servers import PYTHON, ROOT

_EVERYTHING = ["tests/integration", "tests/property", "tests/functional"]
_FAULTS = [
    "test_certificate_workers_are_killed.py",
    "test_consumers_are_killed.py",
    "test_consumers_race.py",
    "on_mariadb",
]
# Bring databases of their own.
_ELSEWHERE = [
    "tests/functional/test_on_postgresql.py",
    "tests/functional/test_servers.py",
    "tests/functional/test_backup_is_restored.py",
    "tests/functional/test_deployment_examples.py",
]


def main(args: Sequence[str]) -> int:
    rounds: list[tuple[dict[str, str], list[str]]]
    if any((ROOT / arg.split("::")[0]).exists() for arg in args):
        rounds = [({}, list(args))]
    else:
        ignored = [f"--ignore={path}" for path in _ELSEWHERE]
        rounds = [
            ({}, [*args, *_EVERYTHING, *(f"tests/faults/{name}" for name in _FAULTS), *ignored]),
            ({"LAUREL_TEST_LIKE_MYSQL": "true"}, [*args, *STORIES, "tests/integration/mysql"]),
        ]
    with mariadb_server() as server:
        address = {"LAUREL_TEST_DATABASE_URL": server.url}
        return max(_run(words, {**address, **more}) for more, words in rounds)


def _run(words: list[str], environment: dict[str, str]) -> int:
    print(*(f"{name}={value}" for name, value in environment.items() if "URL" not in name), *words)
    done = subprocess.run(
        [PYTHON, "-m", "pytest", *words], cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
