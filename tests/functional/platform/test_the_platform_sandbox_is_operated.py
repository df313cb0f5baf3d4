"""The local platform as a program: started, asked, told to fail, stopped."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from certificates.platform.client import Patience, PlatformClient
from tests.functional.platform.academy import CK, course, world
from tests.servers import PYTHON, Process, ProgramError

MODULE = [PYTHON, "-m", "certificates.platform.sandbox", "--port", "0"]
COMMAND = [PYTHON, "manage.py", "platform_sandbox", "--port", "0"]


def address(process: Process) -> str:
    def told() -> str:
        return process.output().partition("Platform sandbox: ")[2].strip()

    return process.wait_for(told, what="its address")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("sandbox") / "sandbox.log"
    begun = time.monotonic()
    many = ["--learners", "50000", "--eligible", "1000", "--course", CK]
    with Process([*MODULE, *many], log=log) as process:
        found = address(process)
        assert time.monotonic() - begun < 2
        yield found
        assert process.terminate() == 0


def control(url: str, what: str, **form: Any) -> Any:
    return requests.post(f"{url}/sandbox/{what}", json=form, timeout=5)


def test_fifty_thousand_learners_are_there_at_once(url: str) -> None:
    with PlatformClient(url, client_id="a", client_secret="b", patience=Patience()) as client:
        path = f"api/grades/v1/gradebook/{CK}/"
        began = time.monotonic()
        pages = client.pages(path, query={"page_size": 100}, read=lambda each: each["user_id"])
        ids = [number for _, page in zip(range(20), pages, strict=False) for number in page]
        assert (time.monotonic() - began) / 20 < 0.05
        assert ids == list(range(1001, 3001))
        last = client.get(path, query={"username": "learner-049999"}, read=lambda each: each)
        assert last["user_id"] == 51_000


def test_it_is_told_to_fail(url: str) -> None:
    told = control(url, "faults", kind="status", api="token", status=503, count=1)
    assert [each["status"] for each in told.json()["faults"]] == [503]
    token = f"{url}/oauth2/access_token"
    form = {"grant_type": "client_credentials", "token_type": "jwt"}
    form |= {"client_id": "a", "client_secret": "b"}
    assert requests.post(token, data=form, timeout=5).status_code == 503
    given = requests.post(token, data=form, timeout=5).json()["access_token"]
    path = f"{url}/api/grades/v1/policy/courses/{CK}/"
    header = {"Authorization": f"JWT {given}"}
    assert requests.get(path, headers=header, timeout=5).status_code == 200
    assert requests.get(path, timeout=5).status_code == 401
    control(url, "expire")
    assert requests.get(path, headers=header, timeout=5).status_code == 401
    assert control(url, "state").json()["calls"]["refused"] == 2
    assert control(url, "reset").json() == {"calls": {}, "faults": []}


@pytest.mark.parametrize(
    ("what", "form"),
    [
        ("faults", {"kind": "earthquake"}),
        ("faults", {"kind": "status", "api": "weather"}),
        ("faults", {"kind": "status", "colour": "red"}),
        ("faults", {}),
        ("world", {"planets": []}),
    ],
)
def test_a_control_call_that_makes_no_sense(url: str, what: str, form: dict[str, Any]) -> None:
    told = control(url, what, **form)
    assert told.status_code == 422
    assert told.json()["detail"]


def test_people_from_a_file(tmp_path: Path) -> None:
    data = tmp_path / "academy.json"
    data.write_text(json.dumps(world(course(ann={"completion": 1.0}))))
    with Process([*COMMAND, "--data", data], log=tmp_path / "log") as process:
        state = requests.post(f"{address(process)}/sandbox/state", timeout=5)
        assert state.status_code == 200


def test_a_file_that_makes_no_world(tmp_path: Path) -> None:
    data = tmp_path / "academy.json"
    data.write_text('{"planets": []}')
    with Process([*MODULE, "--data", data], log=tmp_path / "log") as process:
        with pytest.raises(ProgramError, match="ended"):
            address(process)
        assert "planets not known" in process.output()
        assert process.returncode == 1
