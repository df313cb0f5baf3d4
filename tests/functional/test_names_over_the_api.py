"""The REST API of names, as a learner and as staff use it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.authtoken.models import Token

from credentials.models import Learner
from verified_names.models import VerifiedName

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URL = "/api/v1/verified_names/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _people() -> None:
    for number, name in ((11, "ann"), (12, "bob")):
        Learner.objects.create(lms_user_id=number, username=name, name=name, profile_time=NOW)
        User.objects.create_user(name)
    prof = User.objects.create_user("prof", is_staff=True)
    prof.user_permissions.set(Permission.objects.filter(codename="change_verifiedname"))


def as_user(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def send(who: str, url: str = URL, *, method: str = "post", **data: Any) -> Any:
    return getattr(as_user(who), method)(url, data, content_type="application/json")


def proposal(who: str = "ann", name: str = "Ann Lee", **data: Any) -> Any:
    return send(who, verified_name=name, **data)


def test_na_11_a_learner_proposes_and_staff_decide() -> None:
    answer = proposal()
    assert answer.status_code == 201
    (name,) = answer.json()["names"]
    assert (name["verified_name"], name["status"]) == ("Ann Lee", "pending")
    assert answer.json()["in_force"]["verified_required"] is None

    url = f"{URL}{name['id']}/"
    assert send("ann", url, method="patch", status="approved").status_code == 403
    assert send("prof", url, method="patch", status="banana").status_code == 400
    assert send("prof", url, method="patch", status="approved").json()["status"] == "approved"

    found = as_user("ann").get(URL).json()
    assert found["learner"] == {"lms_user_id": 11, "username": "ann"}
    assert found["in_force"]["verified_required"] == {"name": "Ann Lee", "source": "verified"}
    assert found["in_force"]["profile"] == {"name": "ann", "source": "profile"}
    history = as_user("ann").get(f"{URL}history/").json()
    assert [(each["status"], each["by"]) for each in history] == [
        ("pending", ""),
        ("approved", "prof"),
    ]


@pytest.mark.parametrize(
    ("who", "data", "status"),
    [
        ("ann", {"status": "approved"}, 403),
        ("ann", {"status": "banana"}, 400),
        ("prof", {"status": "banana"}, 400),
        ("ann", {"username": "nobody"}, 404),
        ("prof", {"username": "nobody"}, 404),
        ("ann", {"username": "bob"}, 403),
        ("ann", {"lms_user_id": 12}, 403),
        ("ann", {"lms_user_id": 11}, 201),
        ("ann", {"username": "ann", "status": "pending"}, 201),
        ("prof", {"username": "ann", "status": "approved"}, 201),
        ("prof", {}, 404),
        ("ann", {"name": "<b>Ann</b>"}, 400),
        ("ann", {"name": " "}, 400),
        ("ann", {"name": "x" * 256}, 400),
        ("ann", {"name": "Ann\u0007"}, 400),
    ],
)
def test_na_11_what_is_answered(who: str, data: dict[str, Any], status: int) -> None:
    assert proposal(who, **data).status_code == status
    assert VerifiedName.objects.exists() is (status == 201)


@pytest.mark.parametrize("path", ["", "history/", "config/"])
def test_na_11_nobody_reads_the_names_of_others(path: str) -> None:
    proposal()
    url = f"{URL}{path}"
    assert as_user("bob").get(url, {"username": "ann"}).status_code == 403
    assert as_user("bob").get(url, {"lms_user_id": 11}).status_code == 403
    assert as_user("bob").get(url, {"username": "nobody"}).status_code == 404
    assert as_user("prof").get(url, {"username": "ann"}).status_code == 200
    assert Client().get(url).status_code == 403


def test_na_11_a_username_of_two_learners_opens_neither() -> None:
    Learner.objects.create(lms_user_id=13, username="ann", profile_time=NOW)

    assert as_user("ann").get(URL).status_code == 403
    assert as_user("ann").get(URL, {"lms_user_id": 11}).status_code == 403
    assert proposal().status_code == 403
    assert as_user("prof").get(URL, {"username": "ann"}).status_code == 404
    assert as_user("prof").get(URL, {"lms_user_id": 13}).status_code == 200


def test_a_token_is_as_good_as_a_session() -> None:
    token = Token.objects.create(user=User.objects.get(username="ann"))
    headers = {"authorization": f"Token {token.key}"}
    assert Client().get(URL, headers=headers).json()["learner"]["username"] == "ann"
    assert Client().get(URL, headers={"authorization": "Token x"}).status_code == 403


def test_a_learner_chooses() -> None:
    proposal("prof", username="ann", status="approved")
    url = f"{URL}config/"
    default = "verified_if_available"

    def in_force(policy: str) -> str:
        return str(as_user("ann").get(URL).json()["in_force"][policy]["source"])

    assert (in_force(default), in_force("preferred")) == ("verified", "profile")
    assert send("ann", url, method="put", use_verified_name=True).status_code == 200
    assert (in_force(default), in_force("preferred")) == ("verified", "verified")
    assert send("ann", url, method="put", use_verified_name=False).status_code == 200
    assert (in_force(default), in_force("preferred")) == ("profile", "profile")
    assert in_force("verified_required") == "verified"
    assert send("bob", url, method="put", username="ann", use_verified_name=True).status_code == 403
    assert as_user("ann").get(url).json() == {"use_verified_name": False}
    send("prof", url, method="put", username="ann", use_verified_name=None)
    assert as_user("ann").get(url).json() == {"use_verified_name": None}


def test_a_second_proposal_replaces_the_pending_one() -> None:
    proposal(name="Ann Le")
    (name,) = proposal(name="Ann Lee").json()["names"]
    send("prof", f"{URL}{name['id']}/", method="patch", status="denied")

    names = proposal(name="Anne Lee").json()["names"]

    assert [(each["verified_name"], each["status"]) for each in names] == [
        ("Anne Lee", "pending"),
        ("Ann Lee", "denied"),
    ]


def test_nobody_floods_the_history() -> None:
    answers = [proposal().status_code for _ in range(11)]
    assert answers == [201] * 10 + [429]


def test_the_api_describes_itself(client: Client) -> None:
    answer = client.get("/api/v1/schema/", headers={"accept": "application/json"})
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    assert {URL, f"{URL}{{name_id}}/", f"{URL}history/", f"{URL}config/"} <= set(paths)
    assert set(paths[URL]) == {"get", "post"}
