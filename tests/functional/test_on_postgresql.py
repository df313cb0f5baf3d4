"""The stories again, on PostgreSQL: in a process of its own, because Django's database is fixed
when it starts.
"""

import os
import subprocess

import pytest

from tests.servers import PYTHON, ROOT, postgres_server

STORIES = [
    "tests/functional/test_scenarios.py",
    "tests/functional/test_learner_earns_a_badge.py",
    "tests/functional/test_learner_loses_a_badge.py",
    "tests/functional/test_event_is_delivered_twice.py",
    "tests/functional/test_credly_is_down.py",
    "tests/functional/test_a_provider_lies.py",
    "tests/functional/test_webhook_revokes.py",
    "tests/functional/test_bad_messages.py",
    "tests/functional/test_hostile_messages.py",
    "tests/functional/test_try_before_you_save.py",
    "tests/functional/test_a_new_template_is_filled_from_the_past.py",
    "tests/functional/test_badge_of_badges.py",
    "tests/integration/test_bulk.py",
    "tests/functional/test_events_as_signals.py",
    "tests/functional/test_other_apps_listen.py",
    "tests/functional/test_publishing.py",
    "tests/functional/test_old_events_are_deleted.py",
    "tests/functional/test_learner_sits_an_exam.py",
    "tests/functional/test_names_are_verified.py",
    "tests/functional/test_badge_waits_for_a_name.py",
    "tests/functional/test_learner_is_retired.py",
    "tests/functional/certificates/test_a_certificate_is_issued.py",
    "tests/functional/certificates/test_a_certificate_is_revoked.py",
    "tests/functional/certificates/test_a_name_changes.py",
    "tests/functional/certificates/test_learners_get_a_mail.py",
    "tests/functional/certificates/test_who_leaves_leaves_no_certificate.py",
    "tests/integration/test_query_budget_of_names.py",
    "tests/integration/test_claims.py",
    "tests/integration/test_claims_race.py",
    "tests/integration/test_edits_race.py",
    "tests/integration/test_issuing_race.py",
    "tests/integration/test_a_lock_is_held_for_long.py",
    "tests/integration/test_exact_text.py",
    "tests/integration/test_learners.py",
    "tests/integration/test_learners_race.py",
    "tests/integration/test_query_budget.py",
    "tests/integration/test_import_export.py",
    "tests/integration/test_badges_state.py",
    "tests/functional/test_a_schedule_awards.py",
    "tests/functional/test_pushed_and_pulled.py",
    "tests/integration/test_query_budget_of_schedules.py",
]
CREDLY = [
    "tests/functional/test_webhooks_in_any_order.py",
    "tests/functional/test_credly_and_laurel_drift_apart.py",
    "tests/functional/test_templates_are_synchronised.py",
    "tests/functional/test_key_lives_180_days.py",
]


@pytest.mark.parametrize("stories", [STORIES, CREDLY], ids=["stories", "credly"])
def test_the_same_stories(stories: list[str]) -> None:
    with postgres_server() as server:
        done = subprocess.run(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *stories],
            cwd=ROOT,
            env={**os.environ, "LAUREL_TEST_DATABASE_URL": server.url, "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            timeout=480,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
