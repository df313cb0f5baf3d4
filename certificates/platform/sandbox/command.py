"""The command line: `python -m certificates.platform.sandbox --port 8091 --learners 50000`."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from certificates.platform.sandbox.server import serve
from certificates.platform.sandbox.world import World, WorldError

DEFAULT_PORT: Final = 8091
COURSE: Final = "course-v1:Sandbox+Many+2026"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free port")
    parser.add_argument("--data", type=Path, help="a JSON file of people and courses")
    parser.add_argument("--learners", type=int, default=1000, help="so many made-up learners")
    parser.add_argument("--eligible", type=int, default=100, help="so many of them did well")
    parser.add_argument("--course", default=COURSE, help="the key of their course")


def world_of(options: dict[str, Any]) -> World:
    """Raises WorldError, OSError."""
    if options["data"] is None:
        return World.of_many(
            options["learners"], eligible=options["eligible"], course=options["course"]
        )
    try:
        document = json.loads(options["data"].read_text(encoding="utf-8"))
    except ValueError as error:
        raise WorldError(f"{options['data']}: {error}") from error
    return World.from_document(document)


def run(world: World, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT. Call it from the main thread. Raises OSError: port taken."""
    ends = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # also of the threads to come
    try:
        with serve(world, host=host, port=port) as running:
            announce(f"Platform sandbox: {running.url}")
            signal.sigwait(ends)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="platform_sandbox", description=__doc__)
    add_arguments(parser)
    options = vars(parser.parse_args(argv))
    try:
        run(
            world_of(options),
            host=options["host"],
            port=options["port"],
            announce=lambda line: print(line, flush=True),  # noqa: T201 -- the command's output
        )
    except (WorldError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0
