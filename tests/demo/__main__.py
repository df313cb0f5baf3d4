"""The main job on real input: `./dev demo [--once]`."""

from __future__ import annotations

import argparse
import fcntl
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.demo import report
from tests.demo.findings import Findings, differences, read_findings
from tests.demo.reckoning import Outcome, reckon
from tests.demo.running import FOLDER, LOCK, Running, running
from tests.demo.stories import COURSES, learner
from tests.demo.stream import TOPICS, Stream, make_stream, write_lines
from tests.processes import ProgramError

TEMPLATES: Final = Path(__file__).with_name("templates.yaml")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="leave when it is done")
    once: bool = parser.parse_args().once
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with _only_one(), running() as run:
            good = _demonstrate(run)
            if not once:
                _serve(run)
        return 0 if good else 1
    except BlockingIOError:
        print("another ./dev demo runs in this folder", file=sys.stderr)
    except ProgramError as error:
        print(f"FAILED: {error}\nAll logs are in {FOLDER}.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _demonstrate(run: Running) -> bool:
    """Whether the service came to the same outcome as the reckoning."""
    from tests.demo import inside  # needs the environment of this run

    started = time.monotonic()
    document: dict[str, Any] = yaml.safe_load(TEMPLATES.read_text())
    stream = make_stream()
    _introduce(stream, document)
    run.start("sandbox", "web")  # nobody calls the web server yet: it needs no tables
    inside.connect(run.environment)
    inside.manage("migrate", interactive=False, verbosity=0)
    run.start("worker")
    inside.manage("badges_import", str(TEMPLATES))
    run.wait_for_answers(run.ports.sandbox, what="the sandbox")
    run.fill_sandbox(document)
    with closing(inside.Progress(run)) as progress:
        _publish(stream, part=0)
        run.start("consumer", "beat")
        run.wait_for_answers(run.ports.web, what="the web server")
        run.call_back(document)
        rate = progress.rate_until_drained()
        progress.wait_until_issued()
        progress.add_raw(COURSES, stream.broken)
        _publish(stream, part=1)
        progress.settle()
        messages = progress.how_far().read
    expected = reckon(
        [each.line for each in stream.deliveries],
        document=document,
        configured=inside.configured_types(),
        undecodable=1,
    )
    found = read_findings(
        inside.badges_state(FOLDER / "state.json"),
        sandbox=run.control("state"),
        learners=inside.known_learners(),
        messages=messages,
    )
    return _show(expected, found, rate=rate, seconds=time.monotonic() - started)


def _introduce(stream: Stream, document: dict[str, Any]) -> None:
    print(
        f"Laurel demo: {len(stream.deliveries) + 1:,} messages about what learners did, on the "
        f"event bus (Redis, {len(TOPICS)} topics):\nsome twice, some late, one broken, some of "
        f"types nobody asked for. {len(document['templates'])} badge templates decide, Credly\n"
        "is a local stand-in. Consumer, worker, beat, web and sandbox are processes of their own.",
        flush=True,
    )


def _publish(stream: Stream, *, part: int) -> None:
    from tests.demo import inside

    for topic in TOPICS:
        file = FOLDER / f"{topic}.{part + 1}.jsonl"
        if write_lines(stream.parts[part], topic=topic, to=file):
            inside.manage("publish_events", str(file), topic=topic)


def _show(expected: Outcome, found: Findings, *, rate: float, seconds: float) -> bool:
    different = differences(expected, found)
    print(f"\n{report.table(expected, found, rate=rate)}\n")
    print(report.verdict(different, expected=expected))
    print(f"It took {seconds:.0f} s. Files and logs are in {FOLDER}.", flush=True)
    return not different


def _serve(run: Running) -> None:
    """Until Ctrl-C. Raises ProgramError when a process ends by itself."""
    from tests.demo import inside

    password = secrets.token_urlsafe(9)
    inside.create_admin(name="admin", password=password)
    ann = learner(0)["pii"]["username"]
    print(
        f"\nadmin     {run.ports.web_url}/admin/   login: admin   password: {password}\n"
        f"learner   {run.ports.web_url}/admin/credentials/usercredential/?q={ann}\n"
        f"Credly    {run.ports.sandbox_url}/\n"
        "Ctrl-C stops everything.",
        flush=True,
    )
    try:
        while True:
            run.ensure_alive()
            time.sleep(0.2)
    except KeyboardInterrupt:
        print("\nstopping ...", flush=True)


@contextmanager
def _only_one() -> Iterator[None]:
    """Raises BlockingIOError when another demo uses the folder."""
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


if __name__ == "__main__":
    sys.exit(main())
