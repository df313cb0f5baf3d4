"""The main job on real input: `./dev demo [--once]`."""

from __future__ import annotations

import argparse
import fcntl
import json
import secrets
import signal
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import yaml

from tests.demo import report
from tests.demo.campus import EVALUATED, Campus, make_campus
from tests.demo.certificates import look_at_certificates
from tests.demo.findings import Findings, differences, read_findings
from tests.demo.reckoning import Outcome, reckon
from tests.demo.running import CAMPUS, FOLDER, LOCK, MAILS, Running, running
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
                _serve(run, expected, found)
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
    campus = make_campus(stream)
    _introduce(stream, document)
    CAMPUS.write_text(json.dumps(campus.world))
    _say("starting")
    run.start(
        "mails", "sandbox", "platform", "web"
    )  # nobody calls the web server yet: it needs no tables
    inside.connect(run.environment)
    inside.manage("migrate", interactive=False, verbosity=0)
    run.wait_for_server("mails", port=run.ports.mails)
    run.start("worker")
    inside.manage("badges_import", str(TEMPLATES))
    schedule = inside.make_schedule()
    run.wait_for_server("sandbox", port=run.ports.sandbox)
    run.fill_sandbox(document)
    run.wait_for_server("platform", port=run.ports.platform)
    with closing(inside.Progress(run)) as progress:
        _publish(stream, part=0)
        run.start("consumer", "beat")
        _say("awarding")
        rate = progress.rate_until_drained()
        asked = inside.run_now(schedule)
        progress.wait_until_asked(asked)
        progress.wait_until_issued()
        _say("correcting")
        run.wait_for_server("web", port=run.ports.web)
        run.call_back(document)
        progress.add_raw(COURSES, stream.broken)
        _publish(stream, part=1)
        progress.settle()
        messages = progress.messages_read()
    _say("comparing")
    expected = _reckon(stream, campus, document, configured=inside.configured_types())
    state = inside.badges_state(FOLDER / "state.json")
    found = read_findings(
        state,
        sandbox=run.control("state"),
        learners=inside.known_learners(),
        messages=messages,
        certificates=look_at_certificates(state, port=run.ports.web, mails=MAILS),
        run=inside.run_counts(asked),
    )
    print(f"done in {time.monotonic() - started:.0f} s")
    return expected, found, rate


def _reckon(
    stream: Stream, campus: Campus, document: Mapping[str, Any], *, configured: Collection[str]
) -> Outcome:
    """The schedule ran between the two parts of the stream."""
    first, second = ([each.line for each in part] for part in stream.parts)
    before = [*first, *campus.eligible]
    (asking,) = (
        template["uuid"]
        for template in document["templates"]
        if any(each["event_type"] == EVALUATED for each in template["requirements"])
    )
    options: Any = {"document": document, "configured": configured, "undecodable": 1}
    awarded = sum(
        each.status is not None and template == asking
        for (_, template), each in reckon(before, **options).standings.items()
    )
    return attrs.evolve(
        reckon([*before, *second], **options), run=campus.expected_run(awarded=awarded)
    )


def _introduce(stream: Stream, document: Mapping[str, Any]) -> None:
    print(
        f"{len(stream.deliveries) + 1:,} messages about learners go over the event bus (Redis, "
        f"{len(TOPICS)} topics): some twice, some late,\none broken, some of types nobody asked "
        f"for. {len(document['templates'])} badge templates decide; a schedule asks the platform\n"
        "who completed a course. Consumer, worker, beat, web server, and the local stand-ins for\n"
        "Credly, the platform and a mail server are separate processes.",
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


def _serve(run: Running, expected: Outcome, found: Findings) -> None:
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
        f"Schedule: {web}/admin/certificates/eligibilityschedule/ (one, with its run)\n"
        f"{_certificates(found, web=web)}"
        f"Mails:    {MAILS.relative_to(ROOT)}/new/ (what the learners were sent)\n"
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


def _certificates(found: Findings, *, web: str) -> str:
    """Of each kind the first."""
    valid, revoked = (
        next((each.key for each in found.certificates.values() if each.status == status), "")
        for status in ("valid", "revoked")
    )
    return (
        f"PDF:      {web}/certificates/{valid}.pdf\n"
        f"Verify:   {web}/verify/{valid}/ (anybody can)\n"
        f"          {web}/verify/{revoked}/ (revoked: its file is gone)\n"
    )


@contextmanager
def _only_one() -> Iterator[None]:
    """Raises BlockingIOError when another demo uses the folder."""
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


if __name__ == "__main__":
    sys.exit(main())
