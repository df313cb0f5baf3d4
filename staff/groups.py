"""Who may do what: the groups that a fresh installation has, and what each is given.

What a permission opens in the admin stands in docs/badges/staff.md; course instructors need none:
see certificates.access.
"""

from typing import Final

from django.apps import apps

BADGE_ADMIN: Final = "Badge admin"
SUPPORT: Final = "Support"
AUDITOR: Final = "Auditor"


def _may(verbs: str, *models: str) -> frozenset[str]:
    """`"view change", "events.inboxevent"` -> `events.view_inboxevent`, `events.change_inboxevent`.
    To change rows that only the service writes means to press their buttons.
    """
    named = [each.split(".") for each in models]
    return frozenset(f"{app}.{verb}_{name}" for app, name in named for verb in verbs.split())


_RULES: Final = (
    "credentials.badgetemplate",
    "badges.badgerequirement",
    "badges.requirementgroup",
    "badges.datarule",
    "badges.badgepenalty",
    "badges.penaltydatarule",
)
_BADGE_ADMIN: Final = (
    _may("view add change delete", *_RULES)
    | _may(
        "view add change delete",
        "certificates.credentialtype",
        "certificates.eligibilityschedule",
        "certificates.courseinstructor",
        "certificates.certificatelayout",
        "certificates.asset",
    )
    | _may(
        "view change",
        "credentials.usercredential",
        "credentials.issuance",
        "credentials.credlybadge",
        "credentials.outboxevent",
        "credentials.credlywebhook",
        "events.inboxevent",
        "service_signals.handlerfailure",
        "certificates.certificate",
        "certificates.certificatemail",
    )
    # To synchronise templates and to compare, without reaching the keys of the organization.
    | _may("view add", "credentials.credlyrun")
    | _may(
        "view",
        "badges.badgeprogress",
        "badges.decision",
        "badges.rulesversion",
        "credentials.learner",
        "credentials.credlyorganization",
        "credentials.difference",
        "certificates.schedulerun",
        "certificates.schedulefinding",
        "consumer.consumerstatus",
    )
)
_SUPPORT: Final = _may(
    "view change",
    "credentials.usercredential",
    "credentials.issuance",
    "credentials.credlybadge",
    "certificates.certificatemail",
) | _may(
    "view",
    *_RULES,
    "badges.badgeprogress",
    "badges.decision",
    "credentials.learner",
    "credentials.outboxevent",
    "certificates.certificate",
    "consumer.consumerstatus",
    "exam_attempts.examattempt",
    "verified_names.verifiedname",
    "verified_names.namefact",
    "verified_names.verifiednameconfig",
)
# Not `authtoken`, whose rows are secrets.
_AUDITED: Final = (
    "badges",
    "certificates",
    "consumer",
    "credentials",
    "django_celery_beat",
    "events",
    "exam_attempts",
    "service_signals",
    "verified_names",
)


def _auditor() -> frozenset[str]:
    """Every row of the service, also of what is added later; who signs in, and in which groups."""
    audited = [model for app in _AUDITED for model in apps.get_app_config(app).get_models()]
    labels = [each._meta.label_lower for each in audited]  # noqa: SLF001 -- Django's documented API
    return _may("view", *labels, "auth.user", "auth.group")


def groups() -> dict[str, frozenset[str]]:
    """`app.codename` of every permission of each group, by its name."""
    return {BADGE_ADMIN: _BADGE_ADMIN, SUPPORT: _SUPPORT, AUDITOR: _auditor()}
