"""Where certificates are kept, and how learners hear of them.

Named in the setting ALSO_DUE: the worker's sweep and `issue_due` call `work_due` and `next_due`.
"""

from collections.abc import Callable
from datetime import datetime

from certificates.delivery import mail, withdrawal


def work_due(*, clock: Callable[[], datetime]) -> int:
    """Send the mails that are due, and remove files of people who left; how many of both."""
    return mail.send_due(clock=clock) + withdrawal.erase_files()


def next_due(*, before: datetime) -> datetime | None:
    """When something is due next, if that is before then."""
    return mail.next_due(before=before)
