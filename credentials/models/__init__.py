"""The rows of the credentials app."""

from credentials.models.credential import UserCredential
from credentials.models.issuance import CredlyBadge, Issuance
from credentials.models.learner import Learner
from credentials.models.lease import Lease
from credentials.models.outbox import OutboxEvent
from credentials.models.run import CredlyRun, Difference
from credentials.models.template import BadgeTemplate, CredlyOrganization, DefinitionsVersion
from credentials.models.webhook import CredlyWebhook

__all__ = [
    "BadgeTemplate",
    "CredlyBadge",
    "CredlyOrganization",
    "CredlyRun",
    "CredlyWebhook",
    "DefinitionsVersion",
    "Difference",
    "Issuance",
    "Learner",
    "Lease",
    "OutboxEvent",
    "UserCredential",
]
