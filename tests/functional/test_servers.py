"""The servers that all other tests trust: they keep data, die and come back, and leave nothing."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from tests import service
from tests.processes import PYTHON, ROOT, Process, ProgramError
from tests.programs import can_enter, unprivileged_account
from tests.servers import VAR, PostgresServer, RedisServer, postgres_server, redis_server

SLEEP = "import time; print('here', flush=True); time.sleep(60)"
SLEEPER = [PYTHON, "-c", SLEEP]
STUBBORN = [PYTHON, "-c", f"import signal as s; s.signal(s.SIGTERM, s.SIG_IGN); {SLEEP}"]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended but was not yet collected does not."""
    try:
        return " Z " not in f" {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2]} "
    except FileNotFoundError:
        return False


def eventually(predicate: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not predicate() and time.monotonic() < deadline:
        time.sleep(0.02)
    return predicate()


@pytest.fixture(params=["path", "wheel"])
def origin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of the machine (where it has them), then those of the wheels."""
    monkeypatch.setenv("LAUREL_TEST_REDIS", request.param)
    monkeypatch.setenv("LAUREL_TEST_POSTGRES", request.param)


def value_in(server: RedisServer, key: str) -> object:
    with redis.Redis.from_url(server.url) as client:
        return client.get(key)


def count_in(server: PostgresServer, statement: str = "") -> int:
    """Runs the statement, then counts the rows of the table `badge`."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        if statement:
            connection.execute(statement.encode())
        row = connection.execute("select count(*) from badge").fetchone()
        assert row
        return int(row[0])


@pytest.mark.usefixtures("origin")
def test_redis_comes_back_on_its_port_with_its_data() -> None:
    with redis_server() as server:
        url, directory = server.url, server.data_dir
        with redis.Redis.from_url(url) as client:
            client.set("badge", "awarded")
        server.stop()
        with pytest.raises(redis.ConnectionError):
            value_in(server, "badge")
        server.start()
        assert (server.url, value_in(server, "badge")) == (url, b"awarded")
        server.kill()
        server.start()
        assert (server.url, value_in(server, "badge")) == (url, b"awarded")
        pid = server.pid
    assert not is_alive(pid)
    assert not directory.exists()


@pytest.mark.usefixtures("origin")
def test_postgres_comes_back_on_its_port_with_what_was_committed() -> None:
    with postgres_server() as server:
        url, directory = server.url, server.data_dir
        assert count_in(server, "create table badge (id int); insert into badge values (1)") == 1
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            count_in(server)
        server.start()
        assert count_in(server, "insert into badge values (2)") == 2
        server.kill()
        server.start()
        assert server.url == url
        assert count_in(server) == 2
        pid = server.pid
    assert not is_alive(pid)
    assert not directory.exists()


def test_a_given_directory_is_kept(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("badge", "awarded")
    with redis_server(tmp_path) as server:
        assert value_in(server, "badge") == b"awarded"


def test_postgres_asks_for_a_password_and_stays_off_the_network() -> None:
    with postgres_server(durable=True) as server:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://laurel@127.0.0.1:{server.port}/postgres")
        with psycopg.connect(server.url) as connection:
            settings = [
                connection.execute(f"show {name}".encode()).fetchone()
                for name in ("listen_addresses", "fsync", "synchronous_commit")
            ]
    assert settings == [("127.0.0.1",), ("on",), ("on",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as somebody else")
def test_postgres_started_by_root_gets_a_directory_that_its_account_can_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not can_enter(closed / ".", account=unprivileged_account())
    with postgres_server(closed / "data") as server:
        assert closed not in server.data_dir.parents
        assert count_in(server, "create table badge (id int)") == 0


def test_a_server_whose_port_is_taken_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = pytest.raises(ProgramError, match=r"(?is)ended with status 1 .*in use")
        with taken, redis_server(port=port):
            pass


def test_servers_die_with_a_test_run_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import time\n"
        "from tests.servers import redis_server\n"
        "with redis_server() as server:\n"
        "    print(server.pid, server.data_dir, flush=True)\n"
        "    time.sleep(60)\n"
    )
    log = tmp_path / "log"
    with Process([PYTHON, "-c", script], log=log) as run:
        pid = int(run.wait_for(lambda: "\n" in run.output() and run.output().split()[0]))
        assert is_alive(pid)
        os.kill(run.pid, signal.SIGKILL)
        assert eventually(lambda: not is_alive(pid))
    left = Path(run.output().split()[1])
    assert left.parent == VAR
    for path in sorted(left.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    left.rmdir()


def test_a_program_that_ends_too_early_shows_its_last_words(tmp_path: Path) -> None:
    command = [PYTHON, "-c", "raise SystemExit('no such badge')"]
    told = pytest.raises(ProgramError, match=r"(?s)ended with status 1 .*no such badge")
    with Process(command, log=tmp_path / "log") as run, told:
        run.wait_for(lambda: "ready" in run.output())


def test_a_wait_is_bounded(tmp_path: Path) -> None:
    with Process(SLEEPER, log=tmp_path / "log") as run:
        with pytest.raises(ProgramError, match=r"not ready within 0\.1 s"):
            run.wait_for(lambda: "never" in run.output(), seconds=0.1)
        with pytest.raises(ProgramError, match=r"did not end within 0\.1 s"):
            run.wait(seconds=0.1)
    assert run.returncode == -signal.SIGTERM


def test_a_program_gets_the_environment_it_is_given(tmp_path: Path) -> None:
    command = [PYTHON, "-c", "import os; print(os.environ['BADGE'], os.getcwd())"]
    with Process(command, log=tmp_path / "log", env={"BADGE": "gold"}) as run:
        assert run.wait() == 0
    assert run.output() == f"gold {ROOT}\n"


def test_a_program_that_ignores_the_request_is_killed_with_its_children(tmp_path: Path) -> None:
    child = f"import subprocess; print(subprocess.Popen({STUBBORN!r}).pid, flush=True);"
    command = [PYTHON, "-c", child + STUBBORN[2]]
    with Process(command, log=tmp_path / "log") as run:
        run.wait_for(lambda: run.output().count("here") == 2)
        pid = int(next(filter(str.isdigit, run.output().split())))
        assert run.terminate(seconds=0.1) == -signal.SIGKILL
    assert eventually(lambda: not is_alive(pid))


def test_the_service_stops_the_others_when_one_ends(capsys: pytest.CaptureFixture[str]) -> None:
    ending = [PYTHON, "-c", "print('out of badges'); raise SystemExit(3)"]
    commands = {"web": SLEEPER, "worker": ending}
    assert service.supervise({}, commands=commands, web_port=1, stop=threading.Event()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "worker   | out of badges" in lines
    assert "worker   | ended with status 3, stopping the others" in lines


def test_the_service_kills_who_does_not_stop_in_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STOP_SECONDS", 0.5)
    stop = threading.Event()
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    began = time.monotonic()
    commands = {"web": SLEEPER, "beat": STUBBORN}
    assert service.supervise({}, commands=commands, web_port=1, stop=stop) == 0
    timer.join()
    assert time.monotonic() - began < 5
    assert "beat     | here" in capsys.readouterr().out


def test_the_service_stops_when_a_server_of_its_own_ends() -> None:
    with Process([PYTHON, "-c", ""]) as ended:
        ended.wait()
        assert ended.stdout
        ended.stdout.close()
        commands = {"web": SLEEPER}
        watched = {"redis": ended}
        assert service.supervise(watched, commands=commands, web_port=1, stop=threading.Event())


if sys.platform != "linux":
    pytestmark = pytest.mark.skip(reason="reads /proc")
