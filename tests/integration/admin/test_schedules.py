"""Pages of schedules: made, changed, run, and seen only by those whom they concern."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django_celery_beat.models import PeriodicTask

from badges.models import BadgeRequirement
from certificates import schedules
from certificates.models import (
    CourseInstructor,
    CredentialType,
    EligibilitySchedule,
    ScheduleRun,
)
from credentials.models import UserCredential
from tests.fakes.oracle import oracle
from tests.functional.schedule_stories import (
    ANN,
    BOB,
    CK,
    badge,
    clock,
    kind,
    run,
    schedule,
)
from tests.integration.admin.pages import all_errors, send

pytestmark = pytest.mark.django_db
ADD = "/admin/certificates/eligibilityschedule/add/"
LIST = "/admin/certificates/eligibilityschedule/"
RUNS = "/admin/certificates/schedulerun/"
TYPES = "/admin/certificates/credentialtype/"
OTHER = "course-v1:edX+P2+2024"


def page_of(made: EligibilitySchedule) -> str:
    return f"{LIST}{made.pk}/change/"


def press(client: Client, made: EligibilitySchedule, button: str) -> object:
    return client.post(f"{LIST}{made.pk}/do/{button}/").status_code


# Making one


def test_the_type_is_chosen_first(admin_client: Client) -> None:
    assert "A schedule needs a type" in admin_client.get(ADD).content.decode()
    made = kind()
    assert f"?type={made.pk}" in admin_client.get(ADD).content.decode()


def test_the_form_says_what_to_write(admin_client: Client) -> None:
    chosen = admin_client.get(f"{TYPES}add/").content.decode()
    assert "How much of a course, or of a lesson, somebody has completed." in chosen
    fields = admin_client.get(f"{TYPES}add/?retriever=grades").context["adminform"].form.fields
    grades = fields["option__required_grades"].widget.attrs["placeholder"]
    assert grades == "Homework = 0.4\nFinal Exam = 0.9\ntotal = 0.8"

    made = CredentialType.objects.create(name="Path", retriever="learning_path")
    fields = admin_client.get(f"{ADD}?type={made.pk}").context["adminform"].form.fields
    assert fields["context_key"].help_text == (
        "Write a key of a learning path, which is free (data-path-2026)."
    )


def test_a_type_whose_retriever_is_gone_makes_no_schedules(admin_client: Client) -> None:
    made = kind()
    CredentialType.objects.update(retriever="lost")
    page = send(admin_client, f"{ADD}?type={made.pk}", {"template": badge().pk, "context_key": CK})
    assert "'lost' is not known" in all_errors(page)["context_key"][0]


def test_a_schedule_is_made_with_its_requirement_and_a_task_that_is_off(
    admin_client: Client,
) -> None:
    template = badge()
    changes = {"template": template.pk, "context_key": f" {CK} ", "often": "week"}
    page = send(
        admin_client, f"{ADD}?type={kind().pk}", {**changes, "option__required_completion": "0,8"}
    )
    assert page.status_code == 302, all_errors(page)

    made = EligibilitySchedule.objects.get()
    assert (made.context_key, made.course_key, made.options) == (
        CK,
        CK,
        {"required_completion": 0.8},
    )
    task = PeriodicTask.objects.get(pk=made.periodic_task_id)
    assert (task.enabled, json.loads(task.args), str(task.interval)) == (
        False,
        [made.pk],
        "every 7 days",
    )
    requirement = BadgeRequirement.objects.get()
    assert requirement.template == template
    assert {(each.path, each.value) for each in requirement.rules.all()} == {
        ("context_key", CK),
        ("is_eligible", "true"),
        ("metadata.source", f"laurel/schedules/{made.pk}"),
    }


def test_without_a_requirement_the_page_says_so(admin_client: Client) -> None:
    changes = {"template": badge().pk, "context_key": CK}
    send(admin_client, f"{ADD}?type={kind().pk}", changes, without="requires")
    assert not BadgeRequirement.objects.exists()
    page = admin_client.get(page_of(EligibilitySchedule.objects.get())).content.decode()
    assert "No requirement of the badge waits for this schedule" in page
    assert "The badge template is not active" in page


def test_a_requirement_for_an_active_badge_is_told_to_every_process(admin_client: Client) -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    template = badge()
    first = schedule(template)
    changes = {"template": template.pk, "context_key": OTHER}
    send(admin_client, f"{ADD}?type={kind().pk}", changes)
    run(first)
    assert not UserCredential.objects.exists()  # one of two


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"context_key": "P1"}, None, ""),
        ({"context_key": "course-v1:P1"}, "context_key", "is no key"),
        ({"context_key": "two words"}, "context_key", "is no key"),
        ({"template": ""}, "template", "required"),
        ({"option__required_completion": "1.5"}, "option__required_completion", "at most 1"),
        ({"option__required_completion": "x"}, "option__required_completion", "Must be a number"),
        ({"option__mode": "loose"}, "option__mode", 'one of "strict", "lenient"'),
        ({"option__only_active": "maybe"}, "option__only_active", "true or false"),
        ({"option__retake__limit": "-1"}, "option__retake__limit", "at least 0"),
        ({"option__retake__limit": "1.5"}, "option__retake__limit", "a whole number"),
        ({"option__weights": "hw"}, "option__weights", "Must be an object"),
        ({"option__weights": "hw = 20\nlab = 101"}, "option__weights", "lab: must be at most 100"),
        (
            {"not_before_0": "2026-03-02", "not_before_1": "00:00:00"}
            | {"not_after_0": "2026-03-01", "not_after_1": "00:00:00"},
            "not_after",
            "not after the beginning",
        ),
    ],
)
def test_lc_7_what_does_not_fit_is_said_at_its_field(
    admin_client: Client, changes: dict[str, str], field: str | None, error: str
) -> None:
    sound = {"template": badge().pk, "context_key": CK}
    page = send(admin_client, f"{ADD}?type={kind().pk}", {**sound, **changes})
    if field is None:
        assert page.status_code == 302
        return
    found = all_errors(page)
    assert list(found) == [field]
    assert error in found[field][0]
    assert not PeriodicTask.objects.filter(task=schedules.TASK).exists()


def test_several_faults_are_said_at_once(admin_client: Client) -> None:
    wrong = {"context_key": "?", "option__required_completion": "x", "option__mode": "y"}
    found = all_errors(send(admin_client, f"{ADD}?type={kind().pk}", wrong))
    assert set(found) == {
        "template",
        "context_key",
        "option__required_completion",
        "option__mode",
    }


# Changing one


def test_options_come_back_as_they_were_entered(admin_client: Client) -> None:
    given = {
        "required_completion": 0.5,
        "mode": "lenient",
        "only_active": False,
        "retake": {"limit": 0, "note": "once"},
        "weights": {"hw": 20, "final exam": 62.5},
        "steps": ["one", "two"],
    }
    made = schedule(options=given)
    page = send(admin_client, page_of(made), {})
    assert page.status_code == 302, all_errors(page)
    made.refresh_from_db()
    assert made.options == given


def test_an_empty_field_says_what_counts_instead(admin_client: Client) -> None:
    made = schedule(type=kind(required_completion=0.7, weights={"hw": 20}))
    fields = admin_client.get(page_of(made)).context["adminform"].form.fields
    assert "If empty: 0.7." in fields["option__required_completion"].help_text
    assert "If empty: hw = 20." in fields["option__weights"].help_text
    assert "If empty: yes." in fields["option__only_active"].help_text


def test_one_tick_switches_it_on(admin_client: Client) -> None:
    made = schedule()
    send(admin_client, page_of(made), {"enabled": "on"})
    assert PeriodicTask.objects.get(pk=made.periodic_task_id).enabled
    assert "Every day" in admin_client.get(LIST).content.decode()
    send(admin_client, page_of(made), {}, without="enabled")
    assert not PeriodicTask.objects.get(pk=made.periodic_task_id).enabled


def test_what_it_asks_about_stays(admin_client: Client) -> None:
    made = schedule()
    send(admin_client, page_of(made), {"context_key": OTHER, "template": badge("Other").pk})
    made.refresh_from_db()
    assert (made.context_key, made.template.name) == (CK, "Completed")


@pytest.mark.parametrize("way", ["page", "list", "task"])
def test_lc_1_deleting_it_deletes_its_task_too(admin_client: Client, way: str) -> None:
    oracle.scores = {CK: {ANN: 0.95}}
    made = schedule()
    run(made)
    task = made.periodic_task_id
    if way == "page":
        answer = admin_client.post(f"{LIST}{made.pk}/delete/", {"post": "yes"})
    elif way == "list":
        chosen = {"action": "delete_selected", "_selected_action": [made.pk], "post": "yes"}
        answer = admin_client.post(LIST, chosen)
    else:
        url = f"/admin/django_celery_beat/periodictask/{task}/delete/"
        answer = admin_client.post(url, {"post": "yes"})
    assert answer.status_code == 302
    assert not EligibilitySchedule.objects.exists()
    assert not PeriodicTask.objects.filter(pk=task).exists()
    assert UserCredential.objects.count() == 1


# Running one


@pytest.mark.django_db(transaction=True)
def test_run_now_shows_how_far_it_is(admin_client: Client) -> None:
    oracle.scores = {CK: {ANN: 0.95, BOB: 0.1}}
    made = schedule()
    page = admin_client.post(f"{LIST}{made.pk}/do/run_now/", follow=True)
    assert "Waits for a worker" in page.content.decode()
    assert "Run: waits for a worker." in admin_client.get(page_of(made)).content.decode()
    assert page["Refresh"] == "2"

    asked = ScheduleRun.objects.get()
    seen: list[str] = []

    def look() -> None:
        ScheduleRun.objects.update(evaluated=1)
        seen.append(admin_client.get(f"{RUNS}{asked.pk}/change/").content.decode())
        seen.append(admin_client.get(page_of(made)).content.decode())

    oracle.meanwhile = look
    _work(asked)
    assert "Under way: 1 evaluated" in seen[0]
    assert "Run: 1 evaluated so far." in seen[1]
    done = admin_client.get(f"{RUNS}{asked.pk}/change/")
    assert "Done: 2 evaluated, 1 eligible, 1 awarded" in done.content.decode()
    assert "Refresh" not in done


def _work(asked: ScheduleRun) -> None:
    from certificates import runs

    assert runs.work(asked.pk, clock=clock())


@pytest.mark.django_db(transaction=True)
def test_who_would_get_it_names_them(admin_client: Client) -> None:
    oracle.scores = {CK: {ANN: 0.95, 77: 0.95, BOB: 0.1}}
    made = schedule()
    admin_client.post(f"{LIST}{made.pk}/do/who_would_get_it/")
    asked = ScheduleRun.objects.get()
    _work(asked)
    page = admin_client.get(f"{RUNS}{asked.pk}/change/").content.decode()
    assert "Done: 3 evaluated, 2 eligible, 2 would be awarded" in page
    assert "LMS user 77" in page
    assert "ann" in page
    assert not UserCredential.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_could_not_be_judged_and_why(admin_client: Client) -> None:
    oracle.answers = {ANN: {"fault": "no category lab"}}
    done = run(schedule())
    page = admin_client.get(f"{RUNS}{done.pk}/change/").content.decode()
    assert "no category lab" in page
    assert "1 could not be judged" in page


def test_the_lists_cost_the_same_however_long(
    admin_client: Client, django_assert_max_num_queries: object
) -> None:
    for each in range(6):
        run(schedule(badge(f"Badge {each}")))
    for url in (LIST, RUNS):
        with django_assert_max_num_queries(14):  # type: ignore[operator]  # a fixture's function
            assert admin_client.get(url).status_code == 200


# Instructors


@pytest.fixture
def instructor(client: Client) -> Client:
    """Of the course CK, and of nothing else."""
    prof = User.objects.create_user("prof", is_staff=True)
    CourseInstructor.objects.create(user=prof, course_key=CK)
    client.force_login(prof)
    return client


@pytest.fixture
def own() -> EligibilitySchedule:
    return schedule(badge("Own"), context="block-v1:edX+P1+2024+type@sequential+block@final")


@pytest.fixture
def foreign() -> EligibilitySchedule:
    return schedule(badge("Foreign"), context=OTHER)


def test_lc_14_an_instructor_sees_and_edits_the_own_courses(
    instructor: Client, own: EligibilitySchedule, foreign: EligibilitySchedule
) -> None:
    listed = instructor.get(LIST).content.decode()
    assert own.context_key in listed
    assert OTHER not in listed
    assert "/admin/certificates/eligibilityschedule/" in instructor.get("/admin/").content.decode()

    page = send(instructor, page_of(own), {"enabled": "on", "option__required_completion": "0.5"})
    assert page.status_code == 302
    own.refresh_from_db()
    assert own.options == {"required_completion": 0.5}
    assert PeriodicTask.objects.get(pk=own.periodic_task_id).enabled
    assert press(instructor, own, "run_now") == 302
    assert press(instructor, own, "who_would_get_it") == 302
    assert ScheduleRun.objects.filter(schedule=own).count() == 2
    for each in ScheduleRun.objects.all():
        assert instructor.get(f"{RUNS}{each.pk}/change/").status_code == 200


def test_lc_14_403_for_the_schedules_of_another_course(
    instructor: Client, own: EligibilitySchedule, foreign: EligibilitySchedule
) -> None:
    done = run(foreign)
    there = page_of(foreign)
    assert instructor.get(there).status_code == 403
    assert instructor.post(there, {"enabled": "on"}).status_code == 403
    assert instructor.get(f"{LIST}{foreign.pk}/history/").status_code == 403
    assert instructor.get(f"{LIST}{foreign.pk}/delete/").status_code == 403
    assert press(instructor, foreign, "run_now") == 403
    assert press(instructor, foreign, "who_would_get_it") == 403
    assert instructor.get(f"{RUNS}{done.pk}/change/").status_code == 403
    assert str(OTHER) not in instructor.get(RUNS).content.decode()

    chosen = {"action": "run_now", "_selected_action": [foreign.pk, own.pk]}
    instructor.post(LIST, chosen)
    assert set(ScheduleRun.objects.exclude(pk=done.pk).values_list("schedule", flat=True)) <= {
        own.pk
    }
    assert not PeriodicTask.objects.get(pk=foreign.periodic_task_id).enabled


def test_an_instructor_neither_adds_nor_deletes_nor_appoints(
    instructor: Client, own: EligibilitySchedule
) -> None:
    for url in (ADD, f"{ADD}?type={own.type_id}", f"{LIST}{own.pk}/delete/", TYPES):
        assert instructor.get(url).status_code == 403, url
    assert instructor.get("/admin/certificates/courseinstructor/").status_code == 403
    assert instructor.get("/admin/django_celery_beat/periodictask/").status_code == 403


def test_without_a_course_nothing_is_seen(client: Client, own: EligibilitySchedule) -> None:
    client.force_login(User.objects.create_user("bob", is_staff=True))
    for url in (LIST, RUNS, page_of(own)):
        assert client.get(url).status_code == 403, url


def test_an_auditor_who_instructs_changes_the_own_course_only(
    instructor: Client, own: EligibilitySchedule, foreign: EligibilitySchedule
) -> None:
    prof = User.objects.get(username="prof")
    prof.user_permissions.set(Permission.objects.filter(codename="view_eligibilityschedule"))
    assert instructor.get(page_of(foreign)).status_code == 200
    assert press(instructor, foreign, "run_now") == 403
    chosen = {"action": "run_now", "_selected_action": [foreign.pk, own.pk]}
    assert instructor.post(LIST, chosen).status_code == 403
    assert not ScheduleRun.objects.exists()
    assert press(instructor, own, "run_now") == 302


def test_badge_admins_appoint_instructors(admin_client: Client) -> None:
    prof = User.objects.create_user("prof", is_staff=True)
    User.objects.create_user("ann")
    url = "/admin/certificates/courseinstructor/add/"
    lesson = "block-v1:edX+P1+2024+type@sequential+block@final"
    assert "ann" not in str(admin_client.get(url).context["adminform"].form["user"])
    assert send(admin_client, url, {"user": prof.pk, "course_key": lesson}).status_code == 302
    assert CourseInstructor.objects.get().course_key == CK
    assert "is no key" in all_errors(send(admin_client, url, {"course_key": "?"}))["course_key"][0]


# Types


def test_a_type_is_made_with_options_of_its_source(admin_client: Client) -> None:
    assert "?retriever=oracle" in admin_client.get(f"{TYPES}add/").content.decode()
    changes = {"name": "Course completed", "option__retake__limit": "1"}
    page = send(admin_client, f"{TYPES}add/?retriever=oracle", changes)
    assert page.status_code == 302, all_errors(page)
    made = CredentialType.objects.get()
    assert (made.retriever, made.options) == ("oracle", {"retake": {"limit": 1}})


def test_options_of_a_type_that_break_a_schedule_are_refused(admin_client: Client) -> None:
    made = kind()
    schedule(options={"weights": {"hw": 20}})
    wrong = {"option__required_completion": "2"}
    page = send(admin_client, f"{TYPES}{made.pk}/change/", wrong)
    assert "at most 1" in all_errors(page)["option__required_completion"][0]


def test_a_type_whose_retriever_is_gone(admin_client: Client) -> None:
    made = schedule()
    CredentialType.objects.update(retriever="lost")
    for url in (f"{TYPES}{made.type_id}/change/", page_of(made)):
        assert "&#x27;lost&#x27; is not known" in admin_client.get(url).content.decode()


def test_a_type_in_use_is_not_deleted(admin_client: Client) -> None:
    made = schedule()
    admin_client.post(f"{TYPES}{made.type_id}/delete/", {"post": "yes"})
    assert CredentialType.objects.exists()
