"""The main job on real input: `./dev demo [--once]`."""

from __future__ import annotations

import argparse
import fcntl
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.demo import report
from tests.demo.findings import Findings, differences, read_findings
from tests.demo.reckoning import Outcome, reckon
from tests.demo.running import FOLDER, LOCK, Running, running
from tests.demo.stories import COURSES
from tests.demo.stream import TOPICS, Stream, make_stream, write_lines
from tests.processes import ROOT, ProgramError

TEMPLATES: Final = Path(__file__).with_name("templates.yaml")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="leave when it is done")
    once: bool = parser.parse_args().once
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with _only_one(), running(patience=0.5 if once else 5.0) as run:
            expected, found, rate = _demonstrate(run)
            different = differences(expected, found)
            print(f"\n{report.table(expected, found, rate=rate)}")
            print(report.verdict(different, expected=expected), flush=True)
            if not once:
                _serve(run, expected)
    except BlockingIOError:
        print("another ./dev demo runs in this folder", file=sys.stderr)
        return 1
    except ProgramError as error:
        logs = FOLDER.relative_to(ROOT)
        print(f"\nFAILED: {error}\nAll logs are in {logs}/.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if different else 0


def _demonstrate(run: Running) -> tuple[Outcome, Findings, float]:
    """What should have come out, what did, and how fast."""
    from tests.demo import inside  # imports Django, which costs seconds: not for --help

    started = time.monotonic()
    document: dict[str, Any] = yaml.safe_load(TEMPLATES.read_text())
    stream = make_stream()
    _introduce(stream, document)
    _say("starting")
    run.start("sandbox", "web")  # nobody calls the web server yet: it needs no tables
    inside.connect(run.environment)
    inside.manage("migrate", interactive=False, verbosity=0)
    run.start("worker")
    inside.manage("badges_import", str(TEMPLATES))
    run.wait_for_server("sandbox", port=run.ports.sandbox)
    run.fill_sandbox(document)
    with closing(inside.Progress(run)) as progress:
        _publish(stream, part=0)
        run.start("consumer", "beat")
        _say("awarding")
        rate = progress.rate_until_drained()
        progress.wait_until_issued()
        _say("correcting")
        run.wait_for_server("web", port=run.ports.web)
        run.call_back(document)
        progress.add_raw(COURSES, stream.broken)
        _publish(stream, part=1)
        progress.settle()
        messages = progress.messages_read()
    _say("comparing")
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
    print(f"done in {time.monotonic() - started:.0f} s")
    return expected, found, rate


def _introduce(stream: Stream, document: Mapping[str, Any]) -> None:
    print(
        f"{len(stream.deliveries) + 1:,} messages about learners go over the event bus (Redis, "
        f"{len(TOPICS)} topics): some twice, some late,\none broken, some of types nobody asked "
        f"for. {len(document['templates'])} badge templates decide; Credly is a local stand-in.\n"
        "Consumer, worker, beat, web server and Credly are separate processes.",
        flush=True,
    )


def _say(word: str) -> None:
    print(f"{word} ...", end=" ", flush=True)


def _publish(stream: Stream, *, part: int) -> None:
    from tests.demo import inside  # see above

    for topic in TOPICS:
        file = FOLDER / f"{topic}.{part + 1}.jsonl"
        if write_lines(stream.parts[part], topic=topic, to=file):
            inside.manage("publish_events", str(file), topic=topic)


def _serve(run: Running, expected: Outcome) -> None:
    """Until Ctrl-C. Raises ProgramError when a process ends by itself."""
    from tests.demo import inside  # see above

    password = secrets.token_urlsafe(9)
    inside.create_admin(name="admin", password=password)
    blocked = min(learner for (learner, _), each in expected.standings.items() if each.blocked)
    web = run.ports.web_url
    print(
        f"Admin:    {web}/admin/ (user admin, password {password})\n"
        f"Learner:  {web}/admin/badges/badgeprogress/?q={blocked} "
        "(open a row: why the badge is held, lost or blocked)\n"
        f"Credly:   {run.ports.sandbox_url}/\n"
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
