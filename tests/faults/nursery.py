"""Many short-lived consumers without many starts of Python: Django is set up once, then each
consumer is a fork that runs `manage.py consume_events`. A process of its own, killed like any.

Reads {"extra": ..., "die_in_handler": n} from stdin, one per line; answers with the pid and, when
that process has ended, with its status as os.waitstatus_to_exitcode tells it.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import django


def main() -> None:
    django.setup()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _consume(request)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _consume(request: Mapping[str, Any]) -> None:
    from django.core.management import execute_from_command_line

    from tests.faults import handlers
    from tests.faults.place import GROUP, TOPIC

    handlers.die_at(request["die_in_handler"])
    options = json.dumps(request["extra"])
    # Leaves by sys.exit, with the status of the command.
    execute_from_command_line(
        ["manage.py", "consume_events", "-t", TOPIC, "-g", GROUP, "--extra", options]
    )


if __name__ == "__main__":
    main()
