import os
import subprocess

import pytest

from tests.servers import PYTHON, ROOT


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("REDIS_URL", "http://x", "redis://"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT"),
        ("EVENT_RETENTION_DAYS", "soon", "EVENT_RETENTION_DAYS"),
        ("EVENT_RETENTION_DAYS", "0", "EVENT_RETENTION_DAYS"),
        ("DEBUG", "perhaps", "DEBUG"),
        ("PUBLIC_BASE_URL", "laurel", "PUBLIC_BASE_URL"),
        ("STORAGE_URL", "ftp://host/folder", "STORAGE_URL"),
        ("EMAIL_URL", "gopher://host", "EMAIL_URL"),
    ],
)
def test_a_variable_that_is_not_understood_stops_the_program(
    variable: str, value: str, said: str
) -> None:
    done = subprocess.run(
        [PYTHON, "-c", "import settings"],
        cwd=ROOT,
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr
