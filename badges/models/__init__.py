"""The rows of the badges app: what must be met, and what a learner has met of it."""

from badges.models.decision import Decision
from badges.models.progress import BadgeProgress, Fulfillment
from badges.models.requirement import (
    BadgePenalty,
    BadgeRequirement,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges.models.version import RulesVersion

__all__ = [
    "BadgePenalty",
    "BadgeProgress",
    "BadgeRequirement",
    "DataRule",
    "Decision",
    "Fulfillment",
    "PenaltyDataRule",
    "RequirementGroup",
    "RulesVersion",
]
