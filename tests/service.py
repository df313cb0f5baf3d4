"""The whole service in the foreground: `./dev up` runs this module.

Web, consumer, worker and beat, and a Redis of its own under var/ when REDIS_URL is not set. Every
line they print is shown behind their name. When one ends, the others are stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.processes import HOST, PYTHON, ROOT, STOP_SECONDS, Process, ProgramError, is_free
from tests.servers import VAR, redis_server

REDIS_PORT = 6379  # where settings.py looks for it by default
REDIS_URL_FILE = VAR / "redis.url"  # `./dev manage` reads it

Command = Sequence[str | Path]


def main() -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    port = os.environ.get("PORT", "8000")
    if not port.isdecimal():
        print(f"PORT must be a number, not {port!r}", file=sys.stderr)
        return 1
    if not is_free(int(port)):
        print(f"port {port} is in use; try: PORT={int(port) + 1} ./dev up", file=sys.stderr)
        return 1
    os.environ.setdefault("PUBLIC_BASE_URL", f"http://localhost:{port}")
    try:
        with only_one(), own_redis() as watched:
            migrate: Command = [PYTHON, "manage.py", "migrate", "--no-input"]
            if subprocess.run(migrate, cwd=ROOT, check=False).returncode:
                return 1
            return supervise(watched, commands=commands(port), web_port=int(port), stop=stop)
    except BlockingIOError:
        print("another ./dev up runs in this folder", file=sys.stderr)
    except ProgramError as error:
        print(error, file=sys.stderr)
    return 1


def commands(port: str) -> dict[str, Command]:
    extra = json.dumps({"consumer_name": "c1"})
    topic = ["-t", "learning-badges-lifecycle", "-g", "laurel", "--extra", extra]
    gunicorn = ["wsgi", "--bind", f"{HOST}:{port}", "--workers", "2", "--no-control-socket"]
    celery = [PYTHON, "-m", "celery", "-A", "celery_app"]
    return {
        "web": [PYTHON, "-m", "gunicorn", *gunicorn],
        "consumer": [PYTHON, "manage.py", "consume_events", *topic],
        "worker": [*celery, "worker", "--loglevel", "INFO"],
        "beat": [*celery, "beat", "--loglevel", "INFO"],
    }


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two services in one folder would write to one Redis file: BlockingIOError."""
    VAR.mkdir(exist_ok=True)
    with (VAR / "up.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextlib.contextmanager
def own_redis() -> Iterator[dict[str, Process]]:
    """The Redis to watch, none when REDIS_URL names one. It is stopped last: the others need it."""
    if "REDIS_URL" in os.environ:
        yield {}
        return
    port = REDIS_PORT if is_free(REDIS_PORT) else None
    with redis_server(VAR / "redis", port=port) as redis:
        os.environ["REDIS_URL"] = redis.url
        REDIS_URL_FILE.write_text(redis.url)
        show_line("redis", redis.url)
        try:
            yield {"redis": redis.process}
        finally:
            REDIS_URL_FILE.unlink(missing_ok=True)


def supervise(
    watched: Mapping[str, Process],
    *,
    commands: Mapping[str, Command],
    web_port: int,
    stop: threading.Event,
) -> int:
    """Runs the commands until `stop` or until one of them, or of the watched, has ended.

    0 after `stop`, else 1. At the return every command has ended; the watched have other owners.
    """
    started: dict[str, Process] = {}
    readers: list[threading.Thread] = []
    announced = False
    try:
        for name, command in commands.items():
            started[name] = Process(command)
            arguments = (name, started[name].stdout, stop)
            readers.append(threading.Thread(target=show, args=arguments, daemon=True))
            readers[-1].start()
        while not stop.wait(0.2):
            for name, process in {**watched, **started}.items():
                if process.returncode is not None:
                    show_line(name, f"ended with status {process.returncode}, stopping the others")
                    return 1
            if not announced and answers(web_port):
                show_line("ready", f"http://{HOST}:{web_port}/admin/ (Ctrl-C stops)")
                announced = True
        return 0
    finally:
        stop_all(list(started.values()))
        for reader in readers:
            reader.join(timeout=1.0)  # last words


def stop_all(processes: Sequence[Process]) -> None:
    """Asks all at once, waits for all together, kills who is left."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with contextlib.suppress(ProgramError):
            process.wait(seconds=max(0.0, deadline - time.monotonic()))
        process.kill()


def show(name: str, output: IO[bytes], stop: threading.Event) -> None:
    try:
        with output:
            for line in output:
                show_line(name, line.decode(errors="replace").rstrip())
    except OSError:  # nobody reads us any more
        stop.set()


def show_line(name: str, text: str) -> None:
    sys.stdout.write(f"{name:<8} | {text}\n")
    sys.stdout.flush()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
