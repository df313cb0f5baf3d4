"""The rows of the certificates app: who is asked when and what came out, how certificates look and
how they fare.
"""

from certificates.models.document import Certificate, CertificateMail
from certificates.models.layout import Asset, CertificateLayout
from certificates.models.run import ScheduleFinding, ScheduleRun
from certificates.models.schedule import CourseInstructor, CredentialType, EligibilitySchedule

__all__ = [
    "Asset",
    "Certificate",
    "CertificateLayout",
    "CertificateMail",
    "CourseInstructor",
    "CredentialType",
    "EligibilitySchedule",
    "ScheduleFinding",
    "ScheduleRun",
]
