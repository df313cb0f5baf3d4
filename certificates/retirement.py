"""What is erased of a person who leaves: names on certificates and the files themselves, and what
schedules found.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from certificates.models import Certificate, CertificateMail, ScheduleFinding
from credentials import dispatch
from credentials.models import Learner


def erase(learner: Learner, *, now: datetime) -> dict[str, int]:  # noqa: ARG001 -- see LEARNER_ERASERS
    """Requires a transaction. Nobody is given the files from its commit on; they are removed from
    the storage after it, by whoever comes first: a task, the sweep, or the withdrawal.
    """
    rows = Certificate.objects.filter(issuance__credential__learner=learner)
    mails = CertificateMail.objects.filter(certificate__in=rows)
    erased = rows.update(state=Certificate.State.ERASED, drawn_at=None, file_to_erase=True)
    if not settings.RETIREMENT_KEEPS_ISSUED_NAMES:
        rows.update(name="")
    if erased:
        transaction.on_commit(lambda: dispatch.send("certificates.tasks.work_due", []))
    findings = ScheduleFinding.objects.none()
    if learner.lms_user_id is not None:
        findings = ScheduleFinding.objects.filter(lms_user_id=learner.lms_user_id)
    return {
        "certificates erased": erased,
        "mails about them deleted": mails.delete()[0],
        "findings of schedules deleted": findings.delete()[0],
    }
