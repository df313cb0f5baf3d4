"""Settings of the tests: those of the service, with its outside replaced by servers of the tests.

LAUREL_TEST_DATABASE_URL names a PostgreSQL or MariaDB server to run on; without it, SQLite in
memory. With LAUREL_TEST_LIKE_MYSQL, MariaDB is used as if it were MySQL.
"""

from settings import *  # noqa: F403 -- Django's way to build on other settings
from settings import (
    DATABASES,
    ELIGIBILITY_RETRIEVERS,
    INSTALLED_APPS,
    SERVICE_SIGNALS_UNROUTED,
    as_needed,
    env,
)

if env.str("LAUREL_TEST_DATABASE_URL", ""):
    DATABASES["default"] = as_needed(env.dj_db_url("LAUREL_TEST_DATABASE_URL"))
    DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"] == "credentials.mysql":
    # As docs/badges/settings.md has the operator create it.
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_nopad_bin"}
    if env.bool("LAUREL_TEST_LIKE_MYSQL", False):
        DATABASES["default"]["ENGINE"] = "tests.fakes.mysql"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tasks are only hints: tests call the workers themselves.
CELERY_BROKER_URL = "memory://"
EVENT_BUS_TOPICS = []  # each test has a topic of its own
CREDLY_WEBHOOK_SECRET = "webhook-secret-of-the-tests"
# Apps that are none of Laurel's, added by settings alone. What the notifier handles is wired by
# its tests; the other one is only for speed.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.notifier", "tests.emptying"]
NOTIFIER_URL = NOTIFIER_SECRET = ""
EXTRA_URLS = {"notifier/": "tests.notifier.urls"}
SERVICE_SIGNALS_UNROUTED = [*SERVICE_SIGNALS_UNROUTED, "tests.notifier.signals.notification_sent"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ELIGIBILITY_RETRIEVERS = {**ELIGIBILITY_RETRIEVERS, "oracle": "tests.fakes.oracle.oracle"}
