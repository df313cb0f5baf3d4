"""Settings: the only reader of the environment.

A value that is not understood is refused at once; combinations that cannot work are reported by
`manage.py check` with what to change. Every variable is described in docs/badges/settings.md.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from environs import Env, validate

from credentials.logs import logging_of
from credentials.storage import storage_of
from staff import menu

BASE_DIR = Path(__file__).resolve().parent
VAR_DIR = BASE_DIR / "var"

env = Env()

DEBUG = env.bool("DEBUG", False)
_DEVELOPMENT_KEY = "laurel-development-key-do-not-use-in-production"
SECRET_KEY = env.str("SECRET_KEY", _DEVELOPMENT_KEY)
SECRET_KEY_IS_DEFAULT = SECRET_KEY == _DEVELOPMENT_KEY
PUBLIC_BASE_URL = env.str(
    "PUBLIC_BASE_URL", "http://localhost:8000", validate=validate.URL(require_tld=False)
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL.rstrip("/")]
# Under https, cookies go over https only, and the proxy in front says what the request was.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_BASE_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None

# --- Applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "service_signals",
    # `consumer` stands before `openedx_events`: both have a `consume_events` command and the
    # first one named wins. The stock one swallows every error and exits 0.
    "consumer",
    "events",
    "credentials",
    "exam_attempts",
    "verified_names",
    "badges",
    "certificates",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "openedx_events",
    "edx_event_bus_redis",
    # Gives out permissions of all the others, which have to be there by then.
    "staff",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "urls"
# Addresses of other apps: {"notifier/": "notifier.urls"}.
EXTRA_URLS: dict[str, str] = {}
WSGI_APPLICATION = "wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],  # in place of those that other packages bring
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("admin:login")

# --- Language, time, files --------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
# Where files are kept: pictures of templates, certificates and what they are drawn with. Nothing
# of it is given out by its address: views do that.
STORAGE_URL = env.str("STORAGE_URL", f"file://{VAR_DIR / 'media'}")
STORAGES = {
    "default": storage_of(STORAGE_URL),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise wants it, also when it is empty
WHITENOISE_USE_FINDERS = True  # no collectstatic step on a laptop
WHITENOISE_AUTOREFRESH = DEBUG
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database ---------------------------------------------------------------------------------
# SQLite: WAL lets readers go on while one process writes; immediate transactions queue writers
# at BEGIN, where they can wait, instead of failing them half-way.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}
# PostgreSQL: a server that vanishes without a word, as in a failover, is noticed within a minute;
# with the system's keepalives a consumer would wait for its answer for two hours. In seconds, the
# last one in milliseconds; what DATABASE_URL says goes before.
_POSTGRESQL_OPTIONS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# MySQL and MariaDB, whatever the server's own settings are: READ COMMITTED locks no gaps between
# rows, and a batch sees what another consumer committed meanwhile; without a strict mode too long
# a text is cut in silence.
_MYSQL_OPTIONS = {
    "charset": "utf8mb4",
    "isolation_level": "read committed",
    "init_command": "SET sql_mode = "
    "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
}
# The condition of an index is ignored there: such an index is only larger, and still found. Where
# that is not good enough, migrations add another (credentials.0002).
SILENCED_SYSTEM_CHECKS = ["models.W037"]


def as_needed(database: dict[str, Any]) -> dict[str, Any]:
    """A parsed database URL, with the options that Laurel needs there."""
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        options.update(_SQLITE_OPTIONS)
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        return database
    if database["ENGINE"] == "django.db.backends.mysql":
        database["ENGINE"] = "credentials.mysql"
        options.update(_MYSQL_OPTIONS)
    if database["ENGINE"] == "django.db.backends.postgresql":
        database["OPTIONS"] = {**_POSTGRESQL_OPTIONS, **options}
    return {**database, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


DATABASES = {
    "default": as_needed(env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'laurel.sqlite3'}")),
}

# --- Redis: event bus and task queue ------------------------------------------------------------
# Seconds a read may block on an empty stream, and the socket time-out that must stay above it:
# redis-py 8 gives up after 5 s by itself and would break every longer blocking read.
EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT = 60
_SOCKET_TIMEOUT = EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT + 15


def _with_socket_timeout(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(
            f"REDIS_URL must start with redis://, rediss:// or unix://, not {parts.scheme or url!r}"
        )
    query = dict(parse_qsl(parts.query))
    query.setdefault("socket_timeout", str(_SOCKET_TIMEOUT))
    query.setdefault("socket_connect_timeout", "5")
    return urlunsplit(parts._replace(query=urlencode(query)))


REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
EVENT_BUS_REDIS_CONNECTION_URL = _with_socket_timeout(REDIS_URL)
EVENT_BUS_PRODUCER = "events.bus.create_producer"
EVENT_BUS_CONSUMER = "consumer.bus.BatchConsumer"
EVENT_BUS_TOPIC_PREFIX = env.str("EVENT_BUS_TOPIC_PREFIX", "") or None
EVENT_BUS_REDIS_STREAM_MAX_LEN = env.int("EVENT_BUS_REDIS_STREAM_MAX_LEN", 100_000)
# The topics on which the platform's services publish the event types below by default.
EVENT_BUS_TOPICS = env.list(
    "EVENT_BUS_TOPICS",
    [
        "learning-badges-lifecycle",
        "learning-exam-attempt-lifecycle",
        "learning-certificate-lifecycle",
        "learning-program-certificate-lifecycle",
        "course-unenrollment-lifecycle",
    ],
)
EVENT_BUS_REDIS_CONSUMERS_ENABLED = env.bool("EVENT_BUS_REDIS_CONSUMERS_ENABLED", True)
CONSUMER_HEARTBEAT_SECONDS = 5.0
# How long the name of a killed consumer stays taken.
CONSUMER_LEASE_SECONDS = env.float("CONSUMER_LEASE_SECONDS", 3.0, validate=validate.Range(min=0.5))
CONSUMER_METRICS_PORT = env.int("CONSUMER_METRICS_PORT", 0, validate=validate.Range(0, 65_535))
CONSUMER_METRICS_BIND = env.str("CONSUMER_METRICS_BIND", "127.0.0.1")
# When the web process calls itself not ready because of the consumers; 0 and false: never.
READYZ_MAX_LAG_SECONDS = env.float("READYZ_MAX_LAG_SECONDS", 0.0)
READYZ_MAX_LAG_MESSAGES = env.int("READYZ_MAX_LAG_MESSAGES", 0)
READYZ_NEEDS_CONSUMER = env.bool("READYZ_NEEDS_CONSUMER", False)
EVENTS_SERVICE_NAME = "laurel"
# Laurel publishes through its outbox only, never from a signal receiver of the library.
EVENT_BUS_PRODUCER_CONFIG: dict[str, object] = {}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = (
    True  # a task is only a hint, its row is the truth: doing it twice is harmless
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_TIME_LIMIT = 600
CELERY_TIMEZONE = TIME_ZONE
# Of worker and beat. Who queues a task does not wait: Note [A hint costs nothing] in
# credentials.dispatch.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 30}
CELERY_TASK_PUBLISH_RETRY = False
TASK_QUEUE_PAUSE_SECONDS = 10.0  # after a task that could not be queued
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "credentials.tasks.sweep", "schedule": 5.0},
    "retry-failed-events": {"task": "events.tasks.retry_failed", "schedule": 15.0},
    "delete-old-events": {"task": "events.tasks.delete_old", "schedule": 600.0},
    "sweep-schedules": {"task": "certificates.tasks.sweep", "schedule": 15.0},
    "certificates": {"task": "certificates.tasks.work_due", "schedule": 15.0},
    "credly-nightly": {"task": "credentials.tasks.nightly", "schedule": crontab(hour=3, minute=7)},
}

# --- The flow -----------------------------------------------------------------------------------
# What a lower app needs from a higher one, by dotted path; checked at startup.
# Exam attempts stand before names, which are read from them. Where the rules stand does not matter.
EVENT_HANDLERS = [
    "exam_attempts.ledger.record",
    "verified_names.lifecycle.apply",
    "badges.flow.process",
]
NAME_RESOLVER = "verified_names.resolver.resolve_names"
AFTER_RENAMING = "verified_names.drift.after_renaming"
# Who erases what of a person who leaves: manage.py retire_learner.
LEARNER_ERASERS = [
    "certificates.retirement.erase",
    "verified_names.retirement.erase",
    "exam_attempts.retirement.erase",
    "badges.retirement.erase",
    "events.retirement.erase",
]
# Do the credentials of such a person keep the name they were issued in?
RETIREMENT_KEEPS_ISSUED_NAMES = env.bool("RETIREMENT_KEEPS_ISSUED_NAMES", False)
PROVIDERS = {
    "credly": "credentials.providers.credly.CredlyProvider",
    "pdf": "certificates.provider.PdfProvider",
}
# Modules with `work_due` and `next_due`: what `issue_due` works off besides issuances and events.
ALSO_DUE = ["certificates.delivery"]

# Who is asked whether learners are eligible, and who draws PDFs: {"slug": "dotted.path"}. Packages
# add theirs by the entry points `laurel.retrievers` and `laurel.generators`.
ELIGIBILITY_RETRIEVERS = {
    "completions": "certificates.retrievers.completions.completions",
    "grades": "certificates.retrievers.grades.grades",
    "completions_and_grades": "certificates.retrievers.completions_and_grades.both",
    "learning_path": "certificates.retrievers.learning_path.learning_path",
    "verified_exams": "exam_attempts.eligibility.verified_exams",
}
PDF_GENERATORS: dict[str, str] = {}

# The platform (the LMS) that retrievers ask, by OAuth2 client credentials.
PLATFORM_API_BASE_URL = env.str("PLATFORM_API_BASE_URL", "")
PLATFORM_API_CLIENT_ID = env.str("PLATFORM_API_CLIENT_ID", "")
PLATFORM_API_CLIENT_SECRET = env.str("PLATFORM_API_CLIENT_SECRET", "")
# How long one answer may take, in seconds. A page of a large course's gradebook takes a while.
PLATFORM_API_TIMEOUT = env.float("PLATFORM_API_TIMEOUT", 60.0, validate=validate.Range(min=0.1))

# Event types that take part. An entry is a string, or {"type": ..., "learner": path} where the
# payload holds more than one UserData.
BADGES_CONFIG = {
    "events": [
        "org.openedx.learning.course.passing.status.updated.v1",
        "org.openedx.learning.ccx.course.passing.status.updated.v1",
        "org.openedx.learning.exam.attempt.submitted.v1",
        "org.openedx.learning.exam.attempt.verified.v1",
        "org.openedx.learning.exam.attempt.rejected.v1",
        "org.openedx.learning.exam.attempt.errored.v1",
        "org.openedx.learning.exam.attempt.reset.v1",
        "org.openedx.learning.certificate.created.v1",
        "org.openedx.learning.certificate.changed.v1",
        "org.openedx.learning.certificate.revoked.v1",
        "org.openedx.learning.course.enrollment.created.v1",
        "org.openedx.learning.course.enrollment.changed.v1",
        "org.openedx.learning.course.unenrollment.completed.v1",
        "org.openedx.learning.student.registration.completed.v1",
        "org.openedx.learning.badge.awarded.v1",
        "org.openedx.learning.badge.revoked.v1",
        "org.openedx.learning.program.certificate.awarded.v1",
        "org.openedx.learning.program.certificate.revoked.v1",
        "org.openedx.learning.idv_attempt.created.v1",
        "org.openedx.learning.idv_attempt.pending.v1",
        "org.openedx.learning.idv_attempt.approved.v1",
        "org.openedx.learning.idv_attempt.denied.v1",
        # What our own schedules learn when they ask the platform.
        "org.laurel.credentials.eligibility.evaluated.v1",
    ],
}
BADGES_TOPIC = "learning-badges-lifecycle"

# --- Service signals ----------------------------------------------------------------------------
# Which handlers hear of which news: {"dotted.signal": ["dotted.handler", ...]}. A signal without
# handlers has to stand in SERVICE_SIGNALS_UNROUTED, so that a forgotten one is noticed.
SERVICE_SIGNALS: dict[str, list[str]] = {
    "exam_attempts.signals.proctoring_attempt_changed": [
        "verified_names.receivers.on_proctoring_attempt",
    ],
}
SERVICE_SIGNALS_UNROUTED: list[str] = [
    "badges.signals.progress_completed",
    "badges.signals.progress_regressed",
    "badges.signals.requirement_fulfilled",
    "badges.signals.requirement_regressed",
    "credentials.signals.credential_awarded",
    "credentials.signals.credential_revoked",
    "credentials.signals.issuance_done",
    "credentials.signals.issuance_failed",
    "verified_names.signals.verified_name_changed",
]
EVENT_RETENTION_DAYS = env.int("EVENT_RETENTION_DAYS", 90, validate=validate.Range(min=1))
EVENT_MAX_BYTES = 1024 * 1024
EVENT_MAX_ATTEMPTS = 8
# A message that was handed out more often, and never finished, may be what ends the process that
# works on it: it is recorded first, and taken alone.
EVENT_MAX_DELIVERIES = 3

# --- Credly and secrets -------------------------------------------------------------------------
CREDLY_API_BASE_URL = env.str("CREDLY_API_BASE_URL", "https://api.credly.com/v1/")
# Part of the webhook's path; empty switches the webhook off.
CREDLY_WEBHOOK_SECRET = env.str("CREDLY_WEBHOOK_SECRET", "")
# The brake of `reconcile_credly --fix`: it changes nothing when more than this share of the badges
# would change; so many may change in any case.
CREDLY_FIX_SHARE = env.float("CREDLY_FIX_SHARE", 0.05, validate=validate.Range(min=0, max=1))
CREDLY_FIX_AT_LEAST = 10
# Calls that one worker process has under way at the same time: in all, and to one organization.
ISSUING_CALLS = env.int("ISSUING_CALLS", 32, validate=validate.Range(min=1, max=200))
CREDLY_CALLS_AT_ONCE = env.int("CREDLY_CALLS_AT_ONCE", 8, validate=validate.Range(min=1, max=100))
# Fernet keys, newest first, comma-separated. Without one a key is derived from SECRET_KEY, which
# is good for a laptop only: `manage.py check --deploy` says so.
LAUREL_ENCRYPTION_KEY_IS_DERIVED = not env.str("LAUREL_ENCRYPTION_KEY", "")
LAUREL_ENCRYPTION_KEYS = env.list("LAUREL_ENCRYPTION_KEY", []) or [
    base64.urlsafe_b64encode(hashlib.sha256(SECRET_KEY.encode()).digest()).decode(),
]

# --- Mail and certificates ----------------------------------------------------------------------
# submission://user:password@host:587, for example; empty: no mail is sent.
EMAIL_URL = env.str("EMAIL_URL", "")
# The library reads smtps:// as STARTTLS, which a server that speaks TLS from the start ignores.
_mail = {}
if EMAIL_URL and not EMAIL_URL.startswith("smtps:"):
    _mail = env.dj_email_url("EMAIL_URL")
if EMAIL_URL and "EMAIL_BACKEND" not in _mail:
    raise ImproperlyConfigured(
        "EMAIL_URL must start with smtp:// or submission://; for TLS from the start write "
        "smtp://user:password@host:465?ssl=true"
    )
EMAIL_BACKEND = _mail.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = _mail.get("EMAIL_HOST", "")
EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20  # seconds
_HOST_NAME = urlsplit(PUBLIC_BASE_URL).hostname or "localhost"
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", f"no-reply@{_HOST_NAME}")
# Who issues certificates of templates without an organization.
ISSUER_NAME = env.str("ISSUER_NAME", "Laurel")

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Laurel",
    "DESCRIPTION": "Badges and credentials for Open edX.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {"NameStatus": "verified_names.models.STATUSES"},
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

# --- Logs ---------------------------------------------------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", "console", validate=validate.OneOf(["console", "json"]))
LOG_LEVEL = env.str(
    "LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
)
LOGGING = logging_of(LOG_FORMAT, level=LOG_LEVEL)
EVENT_BUS_REDIS_AUDIT_LOGGING_ENABLED = False
OPENEDX_TELEMETRY: list[str] = []  # its default asks for a package that is not here

# --- Admin --------------------------------------------------------------------------------------
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
UNFOLD = menu.UNFOLD
