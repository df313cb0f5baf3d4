"""The processes of the demo, each with its log under var/demo/, and the sandbox's control calls."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs

from tests import service
from tests.processes import HOST, PYTHON, ROOT, Process, ProgramError, free_port
from tests.servers import VAR, RedisServer, redis_server

FOLDER: Final = VAR / "demo"
LOCK: Final = VAR / "demo.lock"
# SQLite takes one writer at a time, however many cores there are.
_WORKER_OPTIONS: Final = ["--concurrency", "2", "--loglevel", "WARNING"]
_PATIENCE: Final = 120.0  # seconds
_KEY: Final = "key-of-acme"
CAMPUS: Final = FOLDER / "campus.json"
MAILS: Final = FOLDER / "mails"  # a Maildir

Unfinished = Sequence[tuple[str, str]]  # the process it is up to, what is not done


@attrs.frozen
class Ports:
    web: int = attrs.field(factory=free_port)
    sandbox: int = attrs.field(factory=free_port)
    platform: int = attrs.field(factory=free_port)
    mails: int = attrs.field(factory=free_port)

    @property
    def web_url(self) -> str:
        return f"http://{HOST}:{self.web}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox}"


@attrs.define
class Running:
    """What runs; `environment` is that of every process."""

    ports: Ports
    environment: Mapping[str, str]
    redis: RedisServer
    webhook_secret: str
    processes: dict[str, Process] = attrs.field(factory=dict)

    def start(self, *names: str) -> None:
        commands = {
            # What `manage.py credly_sandbox` and `platform_sandbox` run, without Django, which
            # they do not need.
            "sandbox": [PYTHON, "-m", "credly_client.sandbox", "--port", str(self.ports.sandbox)],
            "platform": [
                *[PYTHON, "-m", "certificates.platform.sandbox", "--data", str(CAMPUS)],
                *["--port", str(self.ports.platform)],
            ],
            "mails": [
                *[PYTHON, "-m", "aiosmtpd", "--nosetuid", "--listen", f"{HOST}:{self.ports.mails}"],
                *["--class", "aiosmtpd.handlers.Mailbox", str(MAILS)],
            ],
            **service.commands(str(self.ports.web)),
        }
        for name in names:
            extra = _WORKER_OPTIONS if name == "worker" else []
            self.processes[name] = Process(
                [*commands[name], *extra], log=log_of(name), env=self.environment
            )

    def stop(self, *, patience: float) -> None:
        """Asks all at once; kills who takes longer than `patience` seconds."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        for process in self.processes.values():
            with suppress(ProgramError):
                process.wait(seconds=max(0.0, deadline - time.monotonic()))
            process.kill()

    def wait(self, unfinished: Callable[[], Unfinished], *, every: float = 0.1) -> None:
        """Asks `every` so many seconds; returns when nothing is unfinished. Raises ProgramError
        when a process has ended, or after two minutes: it names what is left, with the log of the
        process it is up to.
        """
        deadline = time.monotonic() + _PATIENCE
        while left := unfinished():
            self.ensure_alive()
            if time.monotonic() > deadline:
                problems = "; ".join(f"{name}: {what}" for name, what in left)
                raise ProgramError(
                    f"not done within {_PATIENCE:g} s: {problems}\n"
                    + _end_of_log(log_of(left[0][0]))
                )
            time.sleep(every)

    def ensure_alive(self) -> None:
        """Raises ProgramError with the end of the log of a process that has ended."""
        watched = {"redis": self.redis.process, **self.processes}
        for name, process in watched.items():
            if process.returncode is not None:
                raise ProgramError(
                    f"{name} ended with status {process.returncode}\n"
                    + _end_of_log(process.log or log_of(name))
                )

    def wait_for_server(self, name: str, *, port: int) -> None:
        self.wait(lambda: [] if service.answers(port) else [(name, f"no answer on port {port}")])

    # Credly

    def fill_sandbox(self, document: Mapping[str, Any]) -> None:
        """The organization and templates of the import file, as if made at Credly before."""
        (organization,) = document["organizations"]
        self._put_organization(organization, webhook_url=None)
        for template in document["templates"]:
            self.control(
                "templates",
                {
                    "id": template["uuid"],
                    "organization_id": organization["uuid"],
                    "name": template["name"],
                    "description": template["description"],
                },
            )

    def call_back(self, document: Mapping[str, Any]) -> None:
        """From now on Credly tells the service's webhook what happens there."""
        (organization,) = document["organizations"]
        address = f"{self.ports.web_url}/badges/credly/webhook/{self.webhook_secret}/"
        self._put_organization(organization, webhook_url=address)

    def _put_organization(
        self, organization: Mapping[str, Any], *, webhook_url: str | None
    ) -> None:
        body = {"id": organization["uuid"], "name": organization["name"], "token": _KEY}
        self.control("organizations", body | {"webhook_url": webhook_url})

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET without a body, POST with one."""
        connection = http.client.HTTPConnection(HOST, self.ports.sandbox, timeout=10)
        try:
            connection.request(
                "GET" if body is None else "POST",
                f"/sandbox/{path}",
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise ProgramError(f"the sandbox refused {path}: {answer.status} {text}")
        return json.loads(text)


@contextmanager
def running(*, patience: float) -> Iterator[Running]:
    """An empty folder, a Redis and nothing else yet; at the end all that was started is stopped,
    or killed after `patience` seconds: nothing of it is used again.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    ports, secret = Ports(), secrets.token_urlsafe(16)
    with redis_server(FOLDER / "redis") as redis:
        run = Running(ports, _environment(ports, secret, redis), redis, secret)
        try:
            yield run
        finally:
            run.stop(patience=patience)


def log_of(name: str) -> Path:
    return FOLDER / f"{name}.log"


def _end_of_log(log: Path, *, lines: int = 15) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join([f"The end of {log.name}:", *text.splitlines()[-lines:]])


def _environment(ports: Ports, webhook_secret: str, redis: RedisServer) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "settings",
        # Relative: in a URL, some characters of the path of the repository could mean something.
        "DATABASE_URL": f"sqlite:///{FOLDER.relative_to(ROOT) / 'laurel.sqlite3'}",
        "REDIS_URL": redis.url,
        "SECRET_KEY": secrets.token_urlsafe(40),
        "LAUREL_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PUBLIC_BASE_URL": ports.web_url,
        "CREDLY_API_BASE_URL": f"{ports.sandbox_url}/v1/",
        "CREDLY_WEBHOOK_SECRET": webhook_secret,
        "ACME_CREDLY_KEY": _KEY,
        "PLATFORM_API_BASE_URL": f"http://{HOST}:{ports.platform}",
        "PLATFORM_API_CLIENT_ID": "laurel",
        "PLATFORM_API_CLIENT_SECRET": "secret-of-laurel",
        "STORAGE_URL": (FOLDER.resolve() / "media").as_uri(),
        "EMAIL_URL": f"smtp://{HOST}:{ports.mails}",
        "LOG_LEVEL": "WARNING",
        # What the shell may have set for another service, and proxies between local processes.
        "ALLOWED_HOSTS": HOST,
        "EVENT_BUS_TOPIC_PREFIX": "",
        "NO_PROXY": HOST,
        "no_proxy": HOST,
        # Both web processes share one import of Django: the demo starts sooner.
        "GUNICORN_CMD_ARGS": "--preload",
    }
