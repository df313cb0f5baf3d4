"""The command line: `python -m credly_client.sandbox --port 8090 --state sandbox.json`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from credly_client.sandbox.core import Sandbox
from credly_client.sandbox.server import serve
from credly_client.sandbox.storage import UnreadableStateError

DEFAULT_PORT = 8090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free port")
    parser.add_argument("--state", type=Path, help="file that keeps the state; default: memory")


def run(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    state_file: Path | None = None,
    announce: Callable[[str], None],
) -> None:
    """Serves until SIGTERM or SIGINT. Call it from the main thread.

    Raises OSError when the port is taken, UnreadableStateError.
    """
    ends = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # also of the threads to come
    try:
        with serve(Sandbox(state_file), host=host, port=port) as running:
            announce(f"Credly sandbox: {running.url}/  API: {running.api_url}")
            signal.sigwait(ends)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="credly_sandbox", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(argv)
    try:
        run(
            host=options.host,
            port=options.port,
            state_file=options.state,
            announce=lambda line: print(line, flush=True),  # noqa: T201  (this is the command's output)
        )
    except (OSError, UnreadableStateError) as error:
        print(error, file=sys.stderr)  # noqa: T201  (this is the command's output)
        return 1
    return 0
