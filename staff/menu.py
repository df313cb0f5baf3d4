"""How the admin looks: names, menu, start page (the setting UNFOLD of django-unfold)."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _page(title: str, icon: str, model: str, allowed: str = "") -> dict[str, object]:
    """An entry of the sidebar, shown to those who may look at `model` (app.model), or as the
    function at the dotted path `allowed` says.
    """
    app, name = model.split(".")

    def may_look(request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))

    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": allowed or may_look,
    }


def _progress_is_open(request: HttpRequest) -> bool:
    """The page for awarding by hand has an address below this one's, and an entry of its own."""
    below = request.path.startswith(reverse("admin:badges_badgeprogress_changelist"))
    return below and request.path != reverse("admin:badges_by_hand")


def _section(title: str, *pages: dict[str, object]) -> dict[str, object]:
    return {"title": title, "items": list(pages)}


UNFOLD = {
    "SITE_TITLE": "Laurel",
    "SITE_HEADER": "Laurel",
    "SITE_SUBHEADER": "Badges and credentials",
    "SITE_SYMBOL": "workspace_premium",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "staff.start.page",
    "STYLES": [lambda _request: static("staff/admin.css")],
    "SIDEBAR": {
        "navigation": [
            _section("", {"title": "Start", "icon": "home", "link": reverse_lazy("admin:index")}),
            _section(
                "Badges",
                _page("Badge templates", "workspace_premium", "credentials.badgetemplate"),
                _page("Badge penalties", "gavel", "badges.badgepenalty"),
                {
                    **_page("Badge progress", "trending_up", "badges.badgeprogress"),
                    "active": _progress_is_open,
                },
                _page("Decisions", "rule", "badges.decision"),
                {
                    "title": "Award or revoke",
                    "icon": "stylus",
                    "link": reverse_lazy("admin:badges_by_hand"),
                    "permission": lambda request: request.user.has_perm(
                        "credentials.change_usercredential"
                    ),
                },
            ),
            _section(
                "Credentials",
                _page("Credentials", "verified", "credentials.usercredential"),
                _page("Credly badges", "military_tech", "credentials.credlybadge"),
                _page("Issuances", "send", "credentials.issuance"),
                _page("Learners", "school", "credentials.learner"),
                _page("Exam attempts", "quiz", "exam_attempts.examattempt"),
            ),
            _section(
                "Schedules",
                _page(
                    "Schedules",
                    "event_repeat",
                    "certificates.eligibilityschedule",
                    allowed="certificates.access.sees_schedules",
                ),
                _page(
                    "Runs",
                    "history",
                    "certificates.schedulerun",
                    allowed="certificates.access.sees_schedules",
                ),
                _page("Types", "category", "certificates.credentialtype"),
                _page("Instructors", "co_present", "certificates.courseinstructor"),
            ),
            _section(
                "Names",
                _page("Verified names", "badge", "verified_names.verifiedname"),
                _page("Statements on names", "history", "verified_names.namefact"),
                _page("Choices of name", "tune", "verified_names.verifiednameconfig"),
            ),
            _section(
                "Certificates",
                _page("Certificates", "license", "certificates.certificate"),
                _page("Layouts", "dashboard_customize", "certificates.certificatelayout"),
                _page("Assets", "imagesmode", "certificates.asset"),
                _page("Mails", "mail", "certificates.certificatemail"),
            ),
            _section(
                "Credly",
                _page("Organizations", "domain", "credentials.credlyorganization"),
                _page("Webhooks", "webhook", "credentials.credlywebhook"),
                _page("Runs", "sync", "credentials.credlyrun"),
                _page("Differences", "difference", "credentials.difference"),
            ),
            _section(
                "Operation",
                _page("Consumers", "monitor_heart", "consumer.consumerstatus"),
                _page("Bus incidents", "report", "consumer.incident"),
                _page("Inbox", "inbox", "events.inboxevent"),
                _page("Outbox", "outbox", "credentials.outboxevent"),
                _page("Handler failures", "report", "service_signals.handlerfailure"),
                _page("Periodic tasks", "schedule", "django_celery_beat.periodictask"),
            ),
            _section(
                "Users",
                _page("Users", "person", "auth.user"),
                _page("Groups", "group", "auth.group"),
                _page("API tokens", "key", "authtoken.tokenproxy"),
            ),
        ],
    },
}
