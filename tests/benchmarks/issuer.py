"""One worker: says that it is ready, waits for a line, works until nothing is due."""

import sys

import django


def main() -> None:
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from credentials import worker

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    worker.carry_out_due(clock=timezone.now)


if __name__ == "__main__":
    main()
