"""A start of the service does not wait for what only some processes need."""

import os
import subprocess

from tests.servers import PYTHON, ROOT

_START = """
import sys
import django
from django.core.management import call_command
django.setup()
call_command("check", stdout=sys.stderr)
print(*sorted({"PIL", "pypdf", "reportlab"} & sys.modules.keys()))
"""


def test_what_draws_certificates_is_imported_when_one_is_drawn() -> None:
    done = subprocess.run(
        [PYTHON, "-c", _START],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
